"""What every request passes before Gradio sees it, and every answer after: one door, `asgi.Guard`."""
