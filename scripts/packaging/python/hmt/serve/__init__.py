"""Modules of the Python tool that came before; scripts written for it import them."""
