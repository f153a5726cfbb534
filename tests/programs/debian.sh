# apt and dpkg in a root of Debian: a package is built, installed, listed, configured, upgraded, removed and purged
# needs: debootstrap dpkg-deb
# rootfs: debian
# seconds: 300
export DEBIAN_FRONTEND=noninteractive; cd /tmp
package() {
	mkdir -p p/DEBIAN p/usr/bin p/etc; printf "Package: small\nVersion: $1\nArchitecture: all\nMaintainer: n <a@b>\nDepends: bash (>= 4)\nDescription: a small one\n" > p/DEBIAN/control
	echo /etc/small.conf > p/DEBIAN/conffiles; echo "setting $1" > p/etc/small.conf; printf "#!/bin/sh\necho small $1\n" > p/usr/bin/small; chmod 755 p/usr/bin/small
	for step in preinst postinst prerm postrm; do printf "#!/bin/sh\necho $step \"\$@\"\n" > p/DEBIAN/$step; chmod 755 p/DEBIAN/$step; done; dpkg-deb --root-owner-group -b p small_$1.deb
}
package 1.0; package 2.0; dpkg -i small_1.0.deb 2>&1; small; dpkg -l small | tail -1; dpkg -L small | sort; dpkg -s small | head -5; dpkg -V small; echo "verify $?"; dpkg -S /usr/bin/small
mv /etc/apt/sources.list /root; apt-get -qq update 2>&1 | head -3; apt-get install -y -q ./small_2.0.deb 2>&1 | grep -vE '^(Get|Fetched)|Need to get|disk space|debconf'; small; cat /etc/small.conf; apt-cache policy small | head -3; apt list --installed 2>/dev/null | grep -c installed; apt-get check -q; apt-mark showmanual | grep small
apt-get remove -y -q small 2>&1 | grep -vE 'disk space'; ls /etc/small.conf; dpkg --purge small 2>&1; ls /etc/small.conf 2>&1; dpkg --audit; dpkg -i small_9.deb 2>&1 | head -2; sed -i 's/Depends:.*/Depends: not-there/' p/DEBIAN/control; dpkg-deb -b p broken.deb >/dev/null; dpkg -i broken.deb 2>&1 | sed 's/^ *//'; dpkg --purge small 2>&1 | tail -1
useradd -m someone; id someone; su someone -c 'id -un; cd; touch mine; stat -c %U mine'; userdel -r someone 2>&1; ls /home; update-alternatives --install /usr/bin/thing thing /bin/true 10 2>&1; readlink /usr/bin/thing; ldconfig -p | grep -c libc.so; perl -e 'print "perl $]\n"'; cat /etc/debian_version; dpkg-reconfigure -f noninteractive tzdata 2>&1 | head -1 | cut -c1-20
