"""`.venv-embedding/bin/python -m local.bedrock --port 4712`: serve until stopped.

The port opens when the model is ready.
"""

import argparse
import logging

from local.bedrock.model import SentenceModel
from local.bedrock.server import BedrockServer


def main() -> None:
    """Read the arguments, load the model and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    logging.getLogger().setLevel(logging.ERROR)  # the quantiser has advice on every graph
    BedrockServer(parser.parse_args().port, SentenceModel()).serve_forever()


if __name__ == "__main__":
    main()
