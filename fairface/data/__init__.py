"""Readers and writers of every data format, augmentation, samplers and the loader. No MXNet."""
