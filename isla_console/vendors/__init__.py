"""What vendors' APIs answer, read tolerantly: what is missing is empty, nothing raises. Pure.

Below whoever asks them: the monitor that watches, and the steps that change something.
"""
