# libuv from Debian's source package with cmake and ninja, and its own test suite: loops, files, pipes, processes, threads
# needs: gcc cmake ninja
# sources: libuv1
# user: 1000
# seconds: 900
cmake -S $CACHE/libuv1 -B b -G Ninja -DCMAKE_BUILD_TYPE=Release > log 2>&1; tail -2 log | sed 's/:.*//'
ninja -C b > log 2>&1; echo "ninja $?"; tail -1 log | sed 's/\[.*\]//'; cd b
mkdir -p test/fixtures; touch test/fixtures/empty_file; printf 'a\n' > test/fixtures/load_error.node
export UV_TEST_TIMEOUT_MULTIPLIER=5
# Natively these two want a network that answers.
./uv_run_tests_a | sed -E 's/^(ok|not ok) [0-9]+/\1/' | grep -E '^(ok|not ok)' | grep -vE 'tcp_connect_timeout|tcp_close_while_connecting' | sort
