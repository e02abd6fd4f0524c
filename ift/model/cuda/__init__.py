"""Work that a CUDA device records once and replays: launching its kernels one by one takes longer than they do."""
