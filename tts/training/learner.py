"""What both networks have in common while they learn: an optimiser, averaged weights, and a state that can be kept."""

import copy
import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

_BETAS = (0.8, 0.99)
_DECAY = 0.01


class Averaged:
    """Weights averaged over steps, with which a voice speaks (Polyak): slowly, but not at the beginning."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take the weights after a step in."""
        decay = min(self.decay, (1 + step) / (10 + step))
        mine: list[Tensor] = list(self.model.parameters())
        torch._foreach_lerp_(mine, [one.detach() for one in model.parameters()], 1 - decay)


class Optimiser:
    """AdamW over some modules, with a warm-up, a schedule over a share of all that is to be done, and clipping."""

    def __init__(self, modules: Iterable[nn.Module], rate: float, warmup: int, clip: float, schedule: str) -> None:
        self.parameters = [one for module in modules for one in module.parameters() if one.requires_grad]
        fused = bool(self.parameters) and self.parameters[0].is_cuda
        self.adam = torch.optim.AdamW(self.parameters, rate, betas=_BETAS, weight_decay=_DECAY, fused=fused)
        self.rate, self.warmup, self.clip, self.schedule = rate, warmup, clip, schedule

    def step(self, loss: Tensor, step: int, progress: float) -> float:
        """Learn from a loss; returns the norm of its gradient before clipping. `progress` is 0 to 1 of the whole."""
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.clip))
        # One bad batch must not undo hours.
        if math.isfinite(norm):
            for group in self.adam.param_groups:
                group["lr"] = self.rate * rate_at(step, progress, self.warmup, self.schedule)
            self.adam.step()
        return norm

    def tensors(self) -> dict[str, Tensor]:
        """Its state, by place of the parameter."""
        found = {}
        for number, parameter in enumerate(self.parameters):
            for name, value in self.adam.state.get(parameter, {}).items():
                found[f"{number}.{name}"] = value.detach().cpu()
        return found

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a state of the same parameters."""
        for number, parameter in enumerate(self.parameters):
            state = {}
            for name in ("step", "exp_avg", "exp_avg_sq"):
                value = tensors.get(f"{number}.{name}")
                if value is not None:
                    on = parameter.device if name != "step" or self.adam.defaults["fused"] else torch.device("cpu")
                    state[name] = value.to(on).clone()
            if state:
                self.adam.state[parameter] = state


def rate_at(step: int, progress: float, warmup: int, schedule: str) -> float:
    """The learning rate's share of its most: linear up to `warmup` steps, then constant or half a cosine to 1 %."""
    warm = min(1.0, (step + 1) / max(warmup, 1))
    if schedule == "constant":
        return warm
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))))
