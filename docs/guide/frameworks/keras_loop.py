import os

os.environ["KERAS_BACKEND"] = "torch"  # or any other

import keras
from sklearn.datasets import load_digits

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.recording.integrations import KerasRecorder

X, y = load_digits(return_X_y=True)
X = X / 16

model = keras.Sequential(
    [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy")

recorder = KerasRecorder(X[1300:], y[1300:])
model.fit(X[:1300], y[:1300], batch_size=64, epochs=5, callbacks=[recorder])
print(LossTailAnalyzer().fit(recorder.dynamics()).summary())
