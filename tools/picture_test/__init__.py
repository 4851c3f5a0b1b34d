"""Train and score the picture test of cxr_common.data.picture_test."""
