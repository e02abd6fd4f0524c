"""The page: tabs over pure views and child processes over run folders. Only this package knows Gradio."""
