"""Small stateful servers that answer as the live providers do. They import nothing of ours."""
