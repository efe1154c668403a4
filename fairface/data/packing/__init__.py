"""Writers: photographs and data sets into every format."""
