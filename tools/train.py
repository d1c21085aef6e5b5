"""Train a detector."""

import argparse
import os

from mmengine.config import DictAction

EXAMPLES = """
examples:
  python tools/train.py configs/frcnn_cleargrasp_plates.py
  python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root ~/my_plates
  python tools/train.py configs/frcnn_cleargrasp_plates.py --resume
  python tools/train.py configs/frcnn_cleargrasp_plates.py \\
      --cfg-options model.backbone.init_cfg.checkpoint=checkpoints/mine.pth \\
      train_dataloader.batch_size=4
  torchrun --nproc_per_node=4 tools/train.py configs/frcnn_cleargrasp_plates.py --launcher pytorch
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go [work_dirs/CONFIG]')
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help='a folder of your own data with COCO annotations; classes and their number come from '
        'there and are set everywhere they are needed',
    )
    parser.add_argument('--epochs', type=int, help="length of the run [the config's]")
    parser.add_argument('--amp', action='store_true', help='mixed precision (GPU)')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the batch over all processes',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from a checkpoint, or from the latest in the work dir',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='values that replace those of the config, such as train_dataloader.batch_size=4',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))

    # Late, so that --help and a wrong option answer at once.
    from mmdet_cleargrasp.engine import run_config, training
    from mmdet_cleargrasp.errors import friendly_exit

    with friendly_exit():
        cfg = run_config.load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
        if args.data_root:
            run_config.use_data_root(cfg, args.data_root)
        if args.epochs is not None:
            run_config.set_epochs(cfg, args.epochs)
        if args.amp:
            training.enable_amp(cfg)
        if args.auto_scale_lr:
            training.enable_auto_scale_lr(cfg)
        if args.resume:
            training.resume(cfg, args.resume)
        training.train(cfg)


if __name__ == '__main__':
    main()
