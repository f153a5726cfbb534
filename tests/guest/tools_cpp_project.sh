#!/bin/bash
# A C++ project: headers, templates, a library loaded at run time, exceptions across it, threads, iostreams to files.
cat > shape.h << 'X'
#pragma once
#include <memory>
#include <string>
struct Shape { virtual ~Shape() = default; virtual double area() const = 0; };
extern "C" Shape *make(const char *kind, double size);
X
cat > plugin.cc << 'X'
#include "shape.h"
#include <stdexcept>
struct Square : Shape { double s; Square(double x) : s(x) {} double area() const override { return s * s; } };
extern "C" Shape *make(const char *kind, double size) { if (std::string(kind) != "square") throw std::invalid_argument(kind); return new Square(size); }
X
cat > main.cc << 'X'
#include "shape.h"
#include <dlfcn.h>
#include <algorithm>
#include <fstream>
#include <future>
#include <iostream>
#include <mutex>
#include <condition_variable>
#include <numeric>
#include <vector>
int main() {
	void *lib = dlopen("./plugin.so", RTLD_NOW); if (!lib) { std::cout << dlerror() << "\n"; return 1; }
	auto make = (Shape * (*)(const char *, double)) dlsym(lib, "make"); std::unique_ptr<Shape> s(make("square", 3)); std::cout << s->area() << "\n";
	try { make("circle", 1); } catch (const std::exception &e) { std::cout << "caught " << e.what() << "\n"; }
	std::vector<std::future<long>> f; for (long i = 0; i < 4; i++) f.push_back(std::async(std::launch::async, [i] { std::vector<long> v(10000); std::iota(v.begin(), v.end(), i); return std::accumulate(v.begin(), v.end(), 0l); })); long t = 0; for (auto &x : f) t += x.get(); std::cout << t << "\n";
	std::mutex m; std::condition_variable c; int turn = 0; std::thread a([&] { for (int i = 0; i < 50; i++) { std::unique_lock l(m); c.wait(l, [&] { return turn == 0; }); turn = 1; c.notify_all(); } }); for (int i = 0; i < 50; i++) { std::unique_lock l(m); c.wait(l, [&] { return turn == 1; }); turn = 0; c.notify_all(); } a.join(); std::cout << "ping pong\n";
	std::ofstream("out") << "line one\nline two\n"; std::ifstream in("out"); std::string line; while (std::getline(in, line)) std::cout << line << "\n"; thread_local int tl = 5; std::cout << tl << std::endl; return 0; }
X
g++ -std=c++17 -shared -fPIC -o plugin.so plugin.cc && g++ -std=c++17 -O1 -o main main.cc -ldl -pthread && ./main; nm -C plugin.so | grep -c 'Square::area'; rm plugin.so; ./main | sed 's/:.*//'; echo ${PIPESTATUS[0]}
