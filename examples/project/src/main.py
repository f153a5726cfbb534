"""Prints the n-th Fibonacci number."""
import sys

from numbers_of import fibonacci

if __name__ == "__main__":
	print(fibonacci(int(sys.argv[1])))
