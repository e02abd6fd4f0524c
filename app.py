"""`python app.py`: the playground in a browser. Also the entry point of a Hugging Face Space."""

from playground.__main__ import main

if __name__ == "__main__":
    main()
