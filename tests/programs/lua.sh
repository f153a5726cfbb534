# lua5.4 from Debian's source package: make -j2 with gcc and with clang, then its programs and libraries at work
# needs: gcc clang make patch tac
# sources: lua5.4
# seconds: 300
cp -r $CACHE/lua5.4 lua; cd lua
for patch in $(tac debian/patches/series | grep -v '^#'); do patch -sRp1 < debian/patches/$patch; done; ls # upstream's own Makefile
cat > test.lua <<'L'
-- co-routines, closures, string library, garbage collection, files, pipes, errors
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
assert(fib(24) == 46368)
local made = {}
for i = 1, 100 do made[i] = coroutine.wrap(function() for k = 1, i do coroutine.yield(k) end return -1 end) end
local sum = 0
for i = 1, 100 do for _ = 1, i do sum = sum + made[i]() end end
print(sum, _VERSION, math.type(3 // 1), 7 // 2, -7 % 3, 1e15, 2^53, math.maxinteger)
local t = setmetatable({}, {__mode = "k"})
for i = 1, 1000 do t[{}] = i end
collectgarbage(); local left = 0; for _ in pairs(t) do left = left + 1 end
print("weak", left, collectgarbage("count") > 0)
print(("%5.2f|%-8s|%q|%x"):format(math.pi, "left", "a\nb\0c", 255), ("hello world"):gsub("o", "0"), utf8.char(228, 8364, 128512))
local name = os.tmpname(); local file <close> = assert(io.open(name, "w+"))
for i = 1, 1000 do file:write(i, "\n") end
file:seek("set"); local total = 0; for line in file:lines() do total = total + tonumber(line) end
print("file", total, file:seek("end"), os.remove(name), os.rename("nothing here", "x"))
local pipe = io.popen("echo from the pipe; exit 3"); print(pipe:read("a"), pipe:close()); print(os.execute("exit 5"))
print(pcall(error, {code = 1}), select(2, pcall(function() local x = nil; return x.y end)), load("return 1 +")); print(os.getenv("HOME"), os.time{year=2024, month=1, day=1, hour=0})
print(string.pack("<i4z", 7, "z"):byte(1, -1)); table.sort(arg); print(#string.dump(fib) > 100, table.concat({1, 2, 3}, "-"), next({}), rawlen{1, 2})
L
for compiler in gcc clang; do
	make -j2 linux CC="$compiler -std=gnu99" > log 2>&1; echo "make $?"; grep -c -e "-c -o" log; make test 2>&1; make -s install INSTALL_TOP=$PWD/out-$compiler 2>&1; ls -R out-$compiler; out-$compiler/bin/lua test.lua
	out-$compiler/bin/luac -l -o test.luac test.lua | sed 's/0x[0-9a-f]*//g' | md5sum; out-$compiler/bin/lua test.luac | md5sum; echo 'print(1) x = = 2' | out-$compiler/bin/lua - 2>&1; echo $?; make -s clean; ls src/*.o 2>&1
done
