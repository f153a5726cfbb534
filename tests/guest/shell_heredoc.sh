#!/bin/bash
# Here-documents and here-strings, files and redirections.
name=world
cat <<EOF
hello $name $(echo substituted)
EOF
cat <<'EOF'
hello $name
EOF
cat <<-EOF
	tabs go
EOF
read -r a b <<< "one two"; echo "$b $a"
cat > file <<EOF
1
2
3
EOF
while read -r line; do echo "line $line"; done < file
echo more >> file; wc -l < file
exec 3<> file; read -r x <&3; echo "read $x"; echo X >&3; exec 3>&-; cat file
cat nosuchfile 2>/dev/null || echo "status $?"
set -C; (echo no > file) 2>/dev/null || echo noclobber; set +C
ls -1
rm file; [ -e file ] || echo gone
