"""dlib's face recognition network, read from dlib's own files without dlib."""
