"""Find faces, choose the main one, align it to the ArcFace template. No MXNet."""
