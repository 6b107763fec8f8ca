"""What `mlops-ci init` proposes to write into a client's repository, and why.

Reads the client and the results of a measured run; writes a file only when it is told to. What is asked of a person,
and what they are shown, is the command line's business.
"""
