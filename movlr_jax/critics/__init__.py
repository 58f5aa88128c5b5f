"""Critics: who watches a motion, what is wrong with it, and which of two is better. They read records, never the
physics."""
