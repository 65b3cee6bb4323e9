"""A linear decoder trained by gradient steps, as Schneider's released code trains it, in place of the closed form."""

import torch
from torch import nn

from sklearn_nndyn.recording import Reconstruction

LR, WEIGHT_DECAY, EPOCHS, BATCH_SIZE = 3e-4, 1e-5, 20, 128


class TrainedReconstruction(Reconstruction):
    """Reconstruction by one linear map with bias, trained by Adam: an entry of ``record``.

    It takes minutes where the closed form takes a second, and holds the activations in memory.
    """

    def learn(self, chunks, X, y, folds, shape, *, cross_fit, fit_on_all):
        """Decoders without each fold, and of all samples."""
        H = torch.cat([h.flatten(1) for _, h in chunks()])
        of_fold = (
            [_fit(H[folds != k], X[folds != k]) for k in range(int(folds.max()) + 1)] if cross_fit else []
        )
        return of_fold, _fit(H, X) if fit_on_all else None


def _fit(H, X):
    torch.manual_seed(0)  # the caller has put the generators aside
    decoder = nn.Sequential(nn.Flatten(), nn.Linear(H.shape[1], X.shape[1])).to(X)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    with torch.enable_grad():
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(H)).to(H.device).split(BATCH_SIZE):
                optimizer.zero_grad()
                nn.functional.mse_loss(decoder(H[rows]), X[rows]).backward()
                optimizer.step()
    return decoder.eval()
