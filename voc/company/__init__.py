"""The company file, `voc.yaml`: what a company is to us, validated into one frozen `Company`."""

from voc.company.load import load_company
from voc.company.model import Company

__all__ = ["Company", "load_company"]
