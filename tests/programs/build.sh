# Compilers and build systems: clang, g++ with threads and exceptions, cmake with ninja and make -j, ctest
# needs: clang g++ cmake ninja make
cat > t.cc <<'C'
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>
int main() {
	std::vector<std::thread> threads;
	int sums[8] = {};
	for (int i = 0; i < 8; i++) threads.emplace_back([i, &sums] { for (int k = 0; k < 1000; k++) sums[i] += k * i; });
	for (auto &thread : threads) thread.join();
	try { throw std::runtime_error("caught"); } catch (std::exception &e) { std::puts(e.what()); }
	int total = 0;
	for (int sum : sums) total += sum;
	std::printf("%d\n", total);
}
C
for compiler in clang++ g++; do for level in -O0 -O3; do $compiler $level -std=c++17 -pthread t.cc -o t && ./t; done; done
g++ -g -flto -O2 -static -pthread t.cc -o s && ./s
mkdir -p project/src; cd project
for i in $(seq 20); do echo "int f$i(void) { return $i; }" > src/f$i.c; done
{ for i in $(seq 20); do echo "int f$i(void);"; done; echo '#include <stdio.h>'; echo 'int main(void) { int s = 0;'; for i in $(seq 20); do echo "s += f$i();"; done; echo 'printf("%d\n", s); return s != 210; }'; } > src/main.c
cat > CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.10)
project(x C)
file(GLOB parts src/f*.c)
add_library(parts STATIC ${parts})
add_executable(main src/main.c)
target_link_libraries(main parts)
enable_testing()
add_test(NAME sum COMMAND main)
C
cmake -S . -B n -G Ninja > log 2>&1 || cat log; ninja -C n | tail -1 | sed 's/\[.*\]//'; n/main; (cd n && ctest | grep "tests passed")
cmake -S . -B m > log 2>&1 || cat log; make -j2 -C m 2>&1 | grep -c Building; m/main
touch src/f3.c; make -C m 2>&1 | grep -c Building
