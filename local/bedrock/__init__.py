"""Bedrock's InvokeModel on the wire, with a small sentence model in the place of Titan: MiniStack's gives no vectors.

The model is real, so what means the same is near: all-MiniLM-L6-v2, 384 numbers of English, run by onnxruntime. It
gives Titan's lengths (zeros follow, which keep every cosine) and keeps Titan's limits on texts.
"""
