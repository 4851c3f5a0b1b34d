"""Full-scale recipes of the papers: train, score by the official protocol, print the paper's figures beside."""
