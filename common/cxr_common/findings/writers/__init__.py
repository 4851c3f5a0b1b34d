"""Writers of results, one kind a module; `cxr_common.findings.outputs` gives them their names."""
