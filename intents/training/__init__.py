"""From sentences to a model and back: training, evaluation, classification of lines.

Only ``train`` needs scikit-learn; the server imports none of this.
"""
