"""A model as other programs read it: Hugging Face's folder, llama.cpp's file, PEFT's adapter."""
