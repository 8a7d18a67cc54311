"""Video files and pictures, in and out."""
