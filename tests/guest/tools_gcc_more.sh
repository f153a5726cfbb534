#!/bin/bash
# Compilers and what surrounds them: C++, libraries static and shared, make, ld, ar, nm, strip, objcopy, gcov.
mkdir p; cd p
cat > hello.cc << 'X'
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>
#include <stdexcept>
int main() { std::map<std::string, int> m{{"a", 1}, {"b", 2}}; for (auto &[k, v] : m) std::cout << k << v << "\n"; std::vector<std::thread> t; int s[4]; for (int i = 0; i < 4; i++) t.emplace_back([&, i] { s[i] = i * i; }); for (auto &x : t) x.join(); std::cout << s[3] << "\n"; try { throw std::runtime_error("thrown"); } catch (std::exception &e) { std::cout << e.what() << std::endl; } }
X
g++ -O1 -o hello hello.cc -pthread && ./hello
printf 'int add(int a, int b) { return a + b; }\n' > add.c; printf 'int mul(int a, int b) { return a * b; }\n' > mul.c; printf '#include <stdio.h>\nint add(int, int), mul(int, int);\nint main(void) { printf("%%d %%d\\n", add(2, 3), mul(4, 5)); return 0; }\n' > main.c
printf 'all: static shared\nOBJ = add.o mul.o\nlibops.a: $(OBJ)\n\tar rcs $@ $^\nlibops.so: add.c mul.c\n\tgcc -shared -fPIC -o $@ $^\nstatic: main.o libops.a\n\tgcc -static -o $@ main.o libops.a\nshared: main.o libops.so\n\tgcc -o $@ main.o -L. -lops -Wl,-rpath,.\nclean:\n\trm -f *.o *.a *.so static shared\n.PHONY: all clean\n' > Makefile
make -s -j2 && ./static && ./shared; make | tail -1; touch add.c; make -j2 | wc -l; ar t libops.a; nm libops.a | grep ' T '
a=$(stat -c %s static); strip static; b=$(stat -c %s static); ((b < a)) && ./static; ld -r -o both.o add.o mul.o && nm both.o | grep -c ' T '; objcopy -O binary -j .text add.o add.bin; [ -s add.bin ] && echo text
readelf -h shared | grep Type; objdump -d add.o | grep -c ret; ldd shared | grep -c ops; echo 'int main(void) { return undefined(); }' > bad.c; gcc bad.c -o bad 2> /dev/null; echo $?; gcc -E -P -DX=7 - <<< 'X' | tail -1; echo 'int x = ;' | gcc -c -xc - 2> /dev/null; echo $?
gcc -S -o - add.c | grep -c add; gcc -O2 -flto -o lto main.c add.c mul.c && ./lto; gcc -g -fsanitize=undefined -o ub -xc - <<< 'int main(int c, char **v) { int x = 0x7fffffff; return (x + c) == 0; }' && ./ub 2>&1 | grep -c overflow; make clean; ls
