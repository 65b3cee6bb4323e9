"""The modules of a skorch net as one."""

import torch


class NetModules(torch.nn.Module):
    """Several modules side by side; the layers of ``module`` keep their names, those of others bear its name first.

    Parameters
    ----------
    modules : dict of torch.nn.Module
        Modules by name.
    """

    def __init__(self, modules):
        super().__init__()
        self.parts = torch.nn.ModuleDict(modules)

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Yield (name, module) of every part."""
        memo = set() if memo is None else memo
        for name, module in self.parts.items():
            own = prefix if name == "module" else f"{prefix}.{name}".lstrip(".")
            yield from module.named_modules(memo, own, remove_duplicate)


def all_modules(net):
    """The net's module, or all of them as one where it has several."""
    modules = {name: getattr(net, f"{name}_") for name in net._modules}
    return modules["module"] if list(modules) == ["module"] else NetModules(modules)
