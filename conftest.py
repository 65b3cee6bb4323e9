"""One thread for every test: small networks gain nothing from two, and lose much where cores are shared."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # also for the processes that tests start

import torch

torch.set_num_threads(1)
