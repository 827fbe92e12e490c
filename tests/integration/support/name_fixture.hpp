// SPDX-License-Identifier: Apache-2.0
// A name server of the test's own in the world outside, and who asks.
#pragma once

#include "network_fixture.hpp"

namespace berth_test {

class name_test : public network_test {
 protected:
  void SetUp() override {
    network_test::SetUp();
    if (!ready_ || HasFatalFailure()) return;
    zone("");
    // Reads its zone for each question: lines of a name, a type, a time to live and an address or another name.
    serve(
        "bt-outside", "names",
        "import threading\n"
        "def label(n): return b''.join(bytes([len(p)]) + p.encode() for p in n.split('.')) + b'\\0'\n"
        "def answer(q):\n"
        "  print('asked')\n"
        "  at, name = 12, []\n"
        "  while q[at]: name.append(q[at + 1:at + 1 + q[at]].decode()); at += 1 + q[at]\n"
        "  name, kind, out, n = '.'.join(name).lower(), struct.unpack('!H', q[at + 1:at + 3])[0], b'', 0\n"
        "  lines, known = [l.split() for l in open('" +
            zone_file() +
            "')], False\n"
            "  for step in range(9):\n"
            "    target = None\n"
            "    for l in lines:\n"
            "      if l[0] != name: continue\n"
            "      known = True\n"
            "      if l[1] == 'CNAME': data, t, target = label(l[3]), 5, l[3]\n"
            "      elif l[1] == 'A' and kind == 1: data, t = socket.inet_aton(l[3]), 1\n"
            "      elif l[1] == 'TXT' and kind == 16: data, t = bytes([len(l[3])]) + l[3].encode(), 16\n"
            "      else: continue\n"
            "      out += label(name) + struct.pack('!HHIH', t, 1, int(l[2]), len(data)) + data; n += 1\n"
            "    if target is None: break\n"
            "    name = target\n"
            "  return q[:2] + (b'\\x81\\x80' if known else b'\\x81\\x83') + struct.pack('!HHHH', 1, n, 0, 0) + q[12:at + 5] + out\n"
            "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('0.0.0.0', 53))\n"
            "l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(('0.0.0.0', 53)); l.listen(9)\n"
            "def stream():\n"
            "  while True:\n"
            "    c, _ = l.accept(); q = c.recv(2000)[2:]; a = answer(q); c.sendall(struct.pack('!H', len(a)) + a); c.close()\n"
            "threading.Thread(target=stream).start(); print('ready')\n"
            "while True:\n"
            "  q, who = u.recvfrom(999); a = answer(q)\n"
            "  u.sendto(a if len(a) <= 512 else a[:2] + b'\\x83\\x80' + a[4:6] + bytes(6) + a[12:12 + len(q) - 12], who)\n");
    std::ofstream(scratch_ + "/ask.py")
        << "import socket, struct, sys\n"
           "name, kind, server, way = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]\n"
           "q = b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0' + b''.join(bytes([len(p)]) + p.encode() for p in name.split('.')) + "
           "b'\\0' + struct.pack('!HH', kind, 1)\n"
           "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if way == 'udp' else socket.SOCK_STREAM); s.settimeout(8)\n"
           "try:\n"
           "  s.connect((server, 53))\n"
           "  s.sendall(q if way == 'udp' else struct.pack('!H', len(q)) + q)\n"
           "  a = s.recv(70000)\n"
           "  if way == 'tcp':\n"
           "    while len(a) < 2 or len(a) < 2 + struct.unpack('!H', a[:2])[0]: a += s.recv(70000)\n"
           "    a = a[2:]\n"
           "except TimeoutError: print('silent'); sys.exit()\n"
           "except OSError as e: print('refused'); sys.exit()\n"
           "assert a[:2] == q[:2] and a[12:len(q)] == q[12:], a\n"
           "out, at = [], len(q)\n"
           "for i in range(struct.unpack('!H', a[6:8])[0]):\n"
           "  while a[at] and a[at] < 192: at += 1 + a[at]\n"
           "  at += 2 if a[at] else 1\n"
           "  t, _, ttl, n = struct.unpack('!HHIH', a[at:at + 10]); at += 10\n"
           "  if t == 1: out.append(socket.inet_ntoa(a[at:at + 4]))\n"
           "  if t == 16: out.append(a[at + 1:at + n].decode())\n"
           "  at += n\n"
           "print('cut' if a[2] & 2 else ' '.join([str(a[3] & 15)] + out))\n";
  }

  std::string zone_file() const { return scratch_ + "/zone"; }
  void zone(const std::string& lines) {
    { std::ofstream(zone_file() + ".new") << lines; }
    host_shell("mv " + zone_file() + ".new " + zone_file());
  }
  /// The code and what was found, "cut", "refused" or "silent". The server is none that there is.
  std::string resolve(const std::string& netns, const std::string& name, int type = 1, const std::string& way = "udp",
                      const std::string& server = "198.51.100.99") {
    return host_shell("ip netns exec " + netns + " python3 " + scratch_ + "/ask.py " + name + " " +
                      std::to_string(type) + " " + server + " " + way);
  }
};

}  // namespace berth_test
