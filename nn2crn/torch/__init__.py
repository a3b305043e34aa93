"""Layers for PyTorch whose forward pass is the steady state of the chemistry (pip install 'nn2crn[train]').

A model made of them, of linear layers and of anything else that can be compiled is trained as any other;
`nn2crn.load(model, example)` reads it, and `export` writes it as ONNX, from which the same templates are read back.

    import torch, nn2crn
    from nn2crn.torch import SmoothedReLU, Template
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), SmoothedReLU(8, learned=True), torch.nn.Linear(8, 3))
    reactions = nn2crn.compile(nn2crn.load(model, torch.zeros(1, 4)))
"""

from nn2crn.torch.export import export
from nn2crn.torch.layers import Annihilation, Settled, SmoothedReLU, Template

__all__ = ["Annihilation", "Settled", "SmoothedReLU", "Template", "export"]
