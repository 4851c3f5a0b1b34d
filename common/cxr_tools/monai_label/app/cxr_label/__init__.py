"""Parts of the MONAI Label app. They know bundles by their files only, whichever version these have."""
