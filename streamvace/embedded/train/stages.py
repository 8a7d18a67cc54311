"""The stages of the table in rows.py, and the fit of the codec before them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from streamvace.embedded.train import team
from streamvace.embedded.train.codec import fit_codec
from streamvace.embedded.train.config import TrainConfig
from streamvace.embedded.train.data import World, make_batch, rendered_ahead
from streamvace.embedded.train.loss import channel_weights, denoising_loss
from streamvace.embedded.train.network import Network, encode
from streamvace.embedded.train.package import adopt_package, package_state
from streamvace.embedded.train.rows import STAGES, StageRow
from streamvace.embedded.train.sheets import contact_sheet
from streamvace.embedded.train.trainer import Trainer
from streamvace.model.autoencoder.tiny import LinearBlocks, TinyAE
from streamvace.system.errors import UserError

PROBES = 5
"""Number of batches for the context branch's data-dependent initialisation."""


def codec_path(config: TrainConfig) -> Path:
    """The file of the fitted codec."""
    return config.folder / "codec.pt"


def train_codec(config: TrainConfig) -> dict[str, float]:
    """Fit the linear encoder and write the codec; the decoder's network is untrained and adds nothing yet."""
    torch.manual_seed(config.seed)
    model = TinyAE()
    figures = fit_codec(model, config.codec_clips, config.seed, config.photographs)
    config.folder.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), codec_path(config))
    return figures


def load_blocks(config: TrainConfig) -> LinearBlocks:
    """The frozen linear maps of the fitted codec. Raises UserError if it does not exist."""
    path = codec_path(config)
    if not path.exists():
        raise UserError(f"no codec {path}; run `streamvace train codec` first")
    state = torch.load(path, weights_only=True)
    blocks = LinearBlocks()
    blocks.load_state_dict({key: state[f"blocks.{key}"] for key in ("analysis", "synthesis")})
    return blocks.requires_grad_(False)


def world_of(config: TrainConfig, name: str) -> World:
    """The source of the samples of stage `name`."""
    return World(config.stages[name].frames, config.photographs, config.world)


def averaged(trainer: Trainer) -> Network:
    """The network with the averaged weights."""
    net = Network()
    net.load_state_dict(trainer.average)
    return net.eval()


def load_earlier(net: Network, state: dict[str, Tensor]) -> None:
    """Load weights of an earlier run. Words added at the vocabulary's end since then keep their initial embedding."""
    key = "text_encoder.words.weight"
    table = net.state_dict()[key].clone()
    table[: len(state[key])] = state[key]
    net.load_state_dict({**state, key: table})


def earlier_weights(path: Path) -> dict[str, Tensor]:
    """The averaged network of a checkpoint, or the network of a package folder."""
    if path.is_dir():
        return package_state(path)
    average: dict[str, Tensor] = torch.load(path, weights_only=True)["average"]
    return average


def train_stage(config: TrainConfig, name: str) -> None:
    """Run one stage of the table; resumes from its checkpoint. Raises UserError if its predecessor is missing."""
    if config.start_from is not None and config.start_from.is_dir() and not codec_path(config).exists():
        adopt_package(config.start_from, config.folder)
    team.together(config.processes, config.folder, _train, config, name)


def _start(config: TrainConfig, name: str, row: StageRow, net: Network, blocks: LinearBlocks) -> None:
    """Load or initialise the weights that the stage starts from."""
    stage = config.stages[name]
    earlier = config.start_from or (config.folder / f"{row.after}.pt" if row.after else None)
    if earlier is not None:
        if not earlier.exists():
            raise UserError(f"{name} starts from {earlier}, which does not exist; train that stage first")
        load_earlier(net, earlier_weights(earlier))
    if earlier is None or row.trains == ("context",):
        fresh = Network()
        count = min(64, 8 * stage.batch)
        images = replace(world_of(config, name), frames=4)
        probes = [make_batch((config.seed, 9, k), count, images) for k in range(PROBES)]
        fresh.initialise(torch.cat([encode(blocks, probe).context for probe in probes]), config.seed)
        if earlier is None:
            net.load_state_dict(fresh.state_dict())
        else:
            # The context blocks start fresh, so that nothing in them comes from a run in which the base was trained.
            net.context.load_state_dict(fresh.context.state_dict())


def _train(config: TrainConfig, name: str) -> None:
    """One process's part of a stage."""
    torch.manual_seed(config.seed)
    row, stage = STAGES[name], config.stages[name]
    blocks = load_blocks(config)
    channels = channel_weights(blocks)
    net = Network()
    for part in ("transformer", "text_encoder", "context"):
        net.get_submodule(part).requires_grad_(part in row.trains)
    trainer = Trainer(name, net, stage, config.folder)
    if not trainer.resume():
        _start(config, name, row, net, blocks)
        trainer.average = {key: value.clone() for key, value in net.state_dict().items()}
    share = max(1, stage.batch // team.size())
    seeds = (config.seed, row.number, team.rank())
    batches = rendered_ahead(make_batch, seeds, trainer.step, share, world_of(config, name))
    rows = min(20 if stage.frames == 4 else 10, 2 * stage.batch)
    sample = make_batch((config.seed, 77, row.number), rows, world_of(config, name))

    def loss(step: int) -> Tensor:
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + step) * team.size() + team.rank())
        data = encode(blocks, next(batches))
        return denoising_loss(
            net,
            data,
            step,
            channels=channels,
            causal=row.order == "causal",
            hears=row.hears,
            refers=row.refers,
            generator=generator,
            bfloat16=config.bfloat16,
        )

    def sheet() -> None:
        contact_sheet(averaged(trainer), blocks, sample, config.folder / f"{name}-{trainer.step:06d}.png")

    with closing(batches):
        trainer.run(loss, sheet)
