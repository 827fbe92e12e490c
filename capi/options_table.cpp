// SPDX-License-Identifier: Apache-2.0
// Made by options/generate from options/*.toml: do not edit.
#include "detail/options_table.hpp"

namespace berth::capi {

static constexpr option_row loop_options_rows[] = {
    {"log_level", option_type::int_, 0, 4, "", "", "0", "", "", false, false, "0.1", "the least BERTH_LOG_… that becomes an event; 0: no log events"},
    {"user_data", option_type::int_, 0, 1.8446744073709552e+19, "", "", "0", "", "", false, false, "0.1", "handed back in log events and with the loop's end"},
    {"queue_limit", option_type::int_, 0, 1.8446744073709552e+19, "", "", "", "0: 65536", "", false, false, "0.1", "log and line events beyond this many waiting ones are dropped"},
    {"output_limit", option_type::size, 0, 2147483647, "", "", "", "0: 1 MiB", "bytes", false, false, "0.1", "how much of one command's output may wait before it is made to wait, each event counting for 256 more"},
};
static constexpr option_row op_options_rows[] = {
    {"flags", option_type::int_, 0, 0, "", "", "0", "", "", false, false, "0.1", "none yet"},
    {"user_data", option_type::int_, 0, 1.8446744073709552e+19, "", "", "0", "", "", false, false, "0.1", "handed back in the operation's events"},
    {"deadline_ns", option_type::int_, 0, 1.8446744073709552e+19, "", "", "0", "", "nanoseconds", false, false, "0.1", "on the clock of berth_now_ns; past it the operation ends with BERTH_E_TIMEOUT; 0: none"},
};
static constexpr option_row spec_mount_rows[] = {
    {"destination", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the path inside, absolute"},
    {"type", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "bind, tmpfs, proc, …"},
    {"source", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "what is mounted"},
    {"options", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "as ro, rbind"},
};
static constexpr option_row where_rows[] = {
    {"root", option_type::text, 0, 2147483647, "", "", "\"/var/lib/berth\"", "", "", false, false, "0.1", "the directory where sandboxes are kept; $BERTH_ROOT where it is not given"},
    {"runsc", option_type::text, 0, 2147483647, "", "", "", "runsc on the PATH", "", false, false, "0.1", "the runsc to use, a path or a name; $BERTH_RUNSC where it is not given"},
    {"init", option_type::text, 0, 2147483647, "", "", "", "where it was installed", "", false, false, "0.1", "berth-init; $BERTH_INIT where it is not given"},
    {"network_pool", option_type::text, 0, 2147483647, "", "", "\"10.211.0.0/16\"", "", "", false, false, "0.1", "sandboxes get their networks out of this; $BERTH_NETWORK_POOL where it is not given"},
};
static constexpr option_row mount_rows[] = {
    {"source", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the path on this host"},
    {"destination", option_type::text, 0, 2147483647, "", "", "", "the same path inside", "", false, false, "0.1", "the path inside"},
    {"read_only", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "nothing inside can write to it"},
};
static constexpr option_row sandbox_rows[] = {
    {"rootfs", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the root file system, an absolute path; it is never written to"},
    {"snapshot", option_type::text, 0, 2147483647, "", "", "", "", "", false, true, "0.2", "the name of a saved sandbox to go on from, in place of a root file system; of the other options, only the sandbox's own may be given then: id, network (a path), egress, publish, host ports, hostname, annotations, ends with creator, ends with process, lifetime, idle timeout, hibernate, create timeout"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "made up", "", false, true, "0.1", "what to call it"},
    {"cpus", option_type::number, 0, 4096, "", "", "0", "", "", false, false, "0.1", "how many CPUs it may use, from 0.01; 0: no limit"},
    {"memory_bytes", option_type::size, 0, 2147483647, "", "", "0", "", "bytes", false, false, "0.1", "how much memory it may use, from 64 MiB, gVisor's own share included; 0: no limit"},
    {"network", option_type::text, 0, 2147483647, "", "", "\"sandbox\"", "", "", false, true, "0.1", "\"sandbox\": a network of its own; \"none\"; or the path of a network namespace"},
    {"max_connections", option_type::int_, 0, 2147483648, "", "", "4096", "", "", false, false, "0.2", "how many flows it may hold in the host's connection tracking; 0: no limit"},
    {"egress", option_type::texts, 0, 2147483647, "", "", "[\"all\"]", "", "", false, true, "0.2", "where it may begin connections to: \"all\", \"none\", or \"dns\" (port 53 of its name servers) and any number of \"ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp]\", where a port alone is one of TCP and a name, or \"*.NAME\" for those below it, may stand in place of the address; it can be changed while it runs"},
    {"publish", option_type::texts, 0, 2147483647, "", "", "", "", "", false, true, "0.2", "ports of this host that lead to it: \"[ADDRESS:]HOST-PORT:PORT[/tcp|/udp]\", the address being 127.0.0.1 where none is named"},
    {"host_ports", option_type::texts, 0, 2147483647, "", "", "", "", "", false, true, "0.2", "TCP ports of this host that it may reach, whatever its egress is: \"[ADDRESS:]PORT\", the address being the gateway of its network where none is named; one that is restored has the saved one's unless it is given others"},
    {"hostname", option_type::text, 0, 2147483647, "", "", "", "the id", "", false, true, "0.1", "its host name"},
    {"env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "variables of all that runs inside"},
    {"cwd", option_type::text, 0, 2147483647, "", "", "\"/\"", "", "", false, false, "0.1", "where commands start"},
    {"mounts", option_type::objects, 0, 2147483647, "", "mount", "", "", "", false, false, "0.1", "directories and files of this host, bound into it"},
    {"annotations", option_type::pairs, 0, 2147483647, "", "", "", "", "", false, true, "0.1", "texts that are kept with it, and told with its status"},
    {"net_raw", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "programs inside may open raw sockets; Docker sets what it needs by itself"},
    {"packet_socket_write", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "programs inside may write to packet sockets; Docker sets what it needs by itself"},
    {"shared_directory", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "/run/berth inside is shared with this host"},
    {"runsc_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further global options of runsc, \"--name=value\", checked against the binary"},
    {"ends_with_creator", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, true, "0.1", "it ends with this process, whatever ends that; what is left on this host is removed at once where the berth command is installed, else with the next collection of garbage"},
    {"ends_with_process", option_type::int_, 1, 4194304, "", "", "", "none", "", false, true, "0.2", "the number of another process that it ends with as well"},
    {"lifetime_ms", option_type::ms, 0, 2147483647, "", "", "", "never", "milliseconds", false, true, "0.2", "it is stopped so long after the beginning of its creation"},
    {"idle_timeout_ms", option_type::ms, 0, 2147483647, "", "", "", "never", "milliseconds", false, true, "0.2", "it falls asleep when nobody has used it for so long, and wakes by its next use; a second at the least"},
    {"hibernate", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, true, "0.2", "it falls asleep on the disk and not in memory; goes with idle_timeout_ms"},
    {"create_timeout_ms", option_type::ms, 0, 2147483647, "", "", "60000", "", "milliseconds", false, true, "0.1", "how long its creation may take in all"},
    {"spec_patch", option_type::json, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a merge patch (RFC 7396), the last word on its OCI spec"},
    {"docker", option_type::object, 0, 2147483647, "", "docker", "", "no Docker", "", false, false, "0.1", "Docker in it"},
};
static constexpr option_row terminate_rows[] = {
    {"force", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "at once, without stopping containers first"},
    {"timeout_ms", option_type::ms, 0, 2147483647, "", "", "45000", "", "milliseconds", false, false, "0.2", "how long what runs inside may take to stop before it is killed"},
};
static constexpr option_row commit_rows[] = {
    {"layout", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "the absolute path of a directory: an OCI image layout, an empty one, or none yet in a directory that is there"},
    {"tag", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "the image's name in the layout; one that is there is replaced"},
    {"env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "variables of containers that are made of it"},
    {"workdir", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "where they start, an absolute path"},
    {"entrypoint", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "what they run"},
    {"command", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "the same, or its arguments where there is an entrypoint"},
    {"author", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "who made the image"},
    {"message", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "what stands in the image's history"},
    {"umoci", option_type::text, 0, 2147483647, "", "", "\"umoci\"", "", "", false, false, "0.2", "the program that packs it; looked up in the usual directories unless it holds a slash"},
};
static constexpr option_row snapshot_rows[] = {
    {"name", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "what to call the snapshot"},
    {"leave_running", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.2", "the sandbox goes on when it is saved; else it ends then"},
};
static constexpr option_row own_rows[] = {
    {"annotations", option_type::pairs, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "texts that are kept with it"},
    {"egress", option_type::texts, 0, 2147483647, "", "", "", "the snapshot's", "", false, false, "0.2", "where it may begin connections to, as in the options of a sandbox"},
    {"ends_with_creator", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "it ends when this process does, whatever ends that"},
    {"lifetime_ms", option_type::ms, 0, 2147483647, "", "", "", "without end", "milliseconds", false, false, "0.2", "it is stopped so long after that"},
    {"idle_timeout_ms", option_type::ms, 0, 2147483647, "", "", "", "never", "milliseconds", false, false, "0.2", "it falls asleep when nobody has used it for so long, and wakes by its next use; a second at the least"},
    {"hibernate", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "it falls asleep on the disk and not in memory; goes with idle_timeout_ms"},
};
static constexpr option_row clone_rows[] = {
    {"annotations", option_type::pairs, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "texts that are kept with it"},
    {"egress", option_type::texts, 0, 2147483647, "", "", "", "the snapshot's", "", false, false, "0.2", "where it may begin connections to, as in the options of a sandbox"},
    {"ends_with_creator", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "it ends when this process does, whatever ends that"},
    {"lifetime_ms", option_type::ms, 0, 2147483647, "", "", "", "without end", "milliseconds", false, false, "0.2", "it is stopped so long after that"},
    {"idle_timeout_ms", option_type::ms, 0, 2147483647, "", "", "", "never", "milliseconds", false, false, "0.2", "it falls asleep when nobody has used it for so long, and wakes by its next use; a second at the least"},
    {"hibernate", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "it falls asleep on the disk and not in memory; goes with idle_timeout_ms"},
    {"count", option_type::int_, 1, 1024, "", "", "1", "", "", false, false, "0.2", "how many"},
};
static constexpr option_row pool_take_rows[] = {
    {"annotations", option_type::pairs, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "texts that are kept with it"},
    {"egress", option_type::texts, 0, 2147483647, "", "", "", "the snapshot's", "", false, false, "0.2", "where it may begin connections to, as in the options of a sandbox"},
    {"ends_with_creator", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "it ends when this process does, whatever ends that"},
    {"lifetime_ms", option_type::ms, 0, 2147483647, "", "", "", "without end", "milliseconds", false, false, "0.2", "it is stopped so long after that"},
    {"idle_timeout_ms", option_type::ms, 0, 2147483647, "", "", "", "never", "milliseconds", false, false, "0.2", "it falls asleep when nobody has used it for so long, and wakes by its next use; a second at the least"},
    {"hibernate", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "it falls asleep on the disk and not in memory; goes with idle_timeout_ms"},
    {"name", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "the pool"},
};
static constexpr option_row pool_start_rows[] = {
    {"name", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "what to call it"},
    {"snapshot", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "the snapshot that its sandboxes are copies of"},
    {"size", option_type::int_, 1, 1024, "", "", "4", "", "", false, false, "0.2", "how many wait when it is full"},
    {"at_once", option_type::int_, 1, 64, "", "", "2", "", "", false, false, "0.2", "how many are made at a time"},
    {"per_minute", option_type::number, 0, 1000000, "", "", "", "no limit", "", false, false, "0.2", "how many are made in a minute at most; 0 for no limit"},
    {"ends_with_creator", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "whoever collects garbage stops it once this process has ended"},
    {"wait", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.2", "it is full when the operation is done; else it fills up meanwhile"},
};
static constexpr option_row file_read_rows[] = {
    {"offset", option_type::size, 0, 2147483647, "", "", "0", "", "bytes", false, false, "0.2", "how many bytes are left out at its beginning"},
    {"length", option_type::size, 0, 2147483647, "", "", "", "to its end", "bytes", false, false, "0.2", "how many are read at most"},
    {"most", option_type::size, 0, 2147483647, "", "", "", "1 GiB without a descriptor, else no limit", "bytes", false, false, "0.2", "a file of which there is more is refused"},
};
static constexpr option_row file_write_rows[] = {
    {"mode", option_type::int_, 0, 4095, "", "", "", "0644, or that of the file that is there", "", false, false, "0.2", "its permissions"},
    {"parents", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "directories that are missing above it are made"},
};
static constexpr option_row file_directory_rows[] = {
    {"mode", option_type::int_, 0, 4095, "", "", "", "0755", "", false, false, "0.2", "its permissions"},
    {"parents", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "directories that are missing above it are made, and one that is there is no error"},
};
static constexpr option_row file_pack_rows[] = {
    {"name", option_type::text, 0, 2147483647, "", "", "", "the last part of its path", "", false, false, "0.2", "what it is called in the archive"},
    {"follow", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "where the path is a symbolic link, what it leads to is packed"},
    {"most", option_type::size, 0, 2147483647, "", "", "", "1 GiB without a descriptor, else no limit", "bytes", false, false, "0.2", "a tree that takes more is refused"},
};
static constexpr option_row recipe_rows[] = {
    {"cgroup", option_type::word, 0, 2147483647, "sandbox|host-bind|none", "", "\"sandbox\"", "", "", false, false, "0.1", "what is seen at /sys/fs/cgroup: the sandbox's own cgroups; with none and host-bind (unsafe) Docker does not work"},
    {"data_root", option_type::text, 0, 2147483647, "", "", "", "the root file system", "", false, false, "0.1", "where Docker keeps its images: \"tmpfs\" (half of the memory limit), \"tmpfs:2Gi\", or a directory of this host"},
    {"data_root_path", option_type::text, 0, 2147483647, "", "", "\"/var/lib/docker\"", "", "", false, false, "0.1", "where that is inside"},
    {"raise_limits", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.2", "CAP_SYS_RESOURCE beside the 17 capabilities, so that nested containers may raise limits (`ulimits: memlock: -1`); a sandbox of berth's own has it whatever is said here"},
    {"guest", option_type::text, 0, 2147483647, "", "", "", "none", "", false, false, "0.2", "berth-init on this host, bound in at /.berth/init, which starts dockerd; a sandbox of berth's own has it whatever is said here"},
};
static constexpr option_row daemon_rows[] = {
    {"ready_timeout_ms", option_type::ms, 0, 2147483647, "", "", "30000", "", "milliseconds", false, false, "0.1", "how long it may take from its start to ready"},
    {"restart", option_type::word, 0, 2147483647, "never|on-failure", "", "\"never\"", "", "", false, false, "0.1", "what happens when dockerd ends by itself"},
    {"restart_limit", option_type::int_, 0, 1000000, "", "", "5", "", "", false, false, "0.1", "how often in a row it is started again without having been ready for a while"},
    {"restart_first_pause_ms", option_type::ms, 0, 2147483647, "", "", "200", "", "milliseconds", false, false, "0.1", "how long is waited before it is started again, doubled each time"},
    {"restart_max_pause_ms", option_type::ms, 0, 2147483647, "", "", "10000", "", "milliseconds", false, false, "0.1", "the longest of these pauses"},
    {"restart_settle_ms", option_type::ms, 0, 2147483647, "", "", "30000", "", "milliseconds", false, false, "0.1", "how long it has to be ready until restarts are counted anew"},
    {"stop_containers_timeout_ms", option_type::ms, 0, 2147483647, "", "", "10000", "", "milliseconds", false, false, "0.1", "how long the containers have to stop"},
    {"term_timeout_ms", option_type::ms, 0, 2147483647, "", "", "10000", "", "milliseconds", false, false, "0.1", "how long dockerd has to end after SIGTERM"},
    {"kill_timeout_ms", option_type::ms, 0, 2147483647, "", "", "5000", "", "milliseconds", false, false, "0.1", "how long is waited for its end after SIGKILL"},
    {"events", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "each change of state is an event"},
    {"daemon_lines", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "each line of dockerd's own log is an event"},
    {"docker_version", option_type::text, 0, 2147483647, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the version of dockerd, as \"28.5.2\", by which it is started"},
    {"containerd_version", option_type::text, 0, 2147483647, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the version of containerd"},
    {"runc_version", option_type::text, 0, 2147483647, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the version of runc"},
    {"runsc_release", option_type::int_, 0, 99999999, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the release of the runsc that it runs on, as 20260701"},
    {"uplink_device", option_type::text, 0, 2147483647, "", "", "", "that of the default route", "", false, false, "0.1", "the sandbox's interface to the outside"},
    {"uplink_address", option_type::text, 0, 2147483647, "", "", "", "asked of ip inside", "", false, false, "0.1", "its IPv4 address"},
    {"uplink_mtu", option_type::int_, 0, 65535, "", "", "", "asked of ip inside", "", false, false, "0.1", "its MTU"},
    {"snat", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "containers reach the outside, which needs a network, iptables and ip in the sandbox"},
    {"sockets", option_type::texts, 0, 2147483647, "", "", "[\"/var/run/docker.sock\"]", "", "", false, false, "0.1", "where dockerd listens inside"},
    {"data_root_path", option_type::text, 0, 2147483647, "", "", "\"/var/lib/docker\"", "", "", false, false, "0.1", "where it keeps its images inside"},
    {"data_root_mounted", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "something is mounted there; else it lies in the root file system"},
    {"storage_driver", option_type::text, 0, 2147483647, "", "", "", "dockerd's choice", "", false, false, "0.1", "the storage driver"},
    {"wrap_runc", option_type::word, 0, 2147483647, "automatic|always|never", "", "\"automatic\"", "", "", false, false, "0.1", "whether what runc cannot do in gVisor is seen to before it is called"},
    {"dockerd", option_type::text, 0, 2147483647, "", "", "\"dockerd\"", "", "", false, false, "0.1", "the program, a name looked up inside or an absolute path"},
    {"dockerd_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further arguments for dockerd"},
    {"dockerd_env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "variables for dockerd"},
    {"host_socket", option_type::text, 0, 2147483647, "", "", "", "commands inside ask", "", false, false, "0.1", "dockerd's socket as this host reaches it, in a directory that is shared with the sandbox: readiness is asked from outside then; not for a sandbox of berth's own, which has one"},
    {"guest_program", option_type::text, 0, 2147483647, "", "", "\"/.berth/init\"", "", "", false, false, "0.2", "berth-init as the sandbox sees it, which starts dockerd there; not for a sandbox of berth's own, which has one"},
};
static constexpr option_row docker_rows[] = {
    {"cgroup", option_type::word, 0, 2147483647, "sandbox|host-bind|none", "", "\"sandbox\"", "", "", false, false, "0.1", "what is seen at /sys/fs/cgroup: the sandbox's own cgroups; with none and host-bind (unsafe) Docker does not work"},
    {"data_root", option_type::text, 0, 2147483647, "", "", "\"tmpfs\"", "", "", false, false, "0.1", "where Docker keeps its images: \"tmpfs\" (half of the memory limit, or of the host's memory), \"tmpfs:2Gi\", a directory of this host, where they outlive the sandbox in its berth-data-root/docker, or \"DIRECTORY:20Gi\": the same in a file system of that size"},
    {"data_root_path", option_type::text, 0, 2147483647, "", "", "\"/var/lib/docker\"", "", "", false, false, "0.1", "where it keeps its images inside"},
    {"ready_timeout_ms", option_type::ms, 0, 2147483647, "", "", "30000", "", "milliseconds", false, false, "0.1", "how long it may take from its start to ready"},
    {"restart", option_type::word, 0, 2147483647, "never|on-failure", "", "\"on-failure\"", "", "", false, false, "0.1", "what happens when dockerd ends by itself"},
    {"restart_limit", option_type::int_, 0, 1000000, "", "", "5", "", "", false, false, "0.1", "how often in a row it is started again without having been ready for a while"},
    {"restart_first_pause_ms", option_type::ms, 0, 2147483647, "", "", "200", "", "milliseconds", false, false, "0.1", "how long is waited before it is started again, doubled each time"},
    {"restart_max_pause_ms", option_type::ms, 0, 2147483647, "", "", "10000", "", "milliseconds", false, false, "0.1", "the longest of these pauses"},
    {"restart_settle_ms", option_type::ms, 0, 2147483647, "", "", "30000", "", "milliseconds", false, false, "0.1", "how long it has to be ready until restarts are counted anew"},
    {"stop_containers_timeout_ms", option_type::ms, 0, 2147483647, "", "", "10000", "", "milliseconds", false, false, "0.1", "how long the containers have to stop"},
    {"term_timeout_ms", option_type::ms, 0, 2147483647, "", "", "10000", "", "milliseconds", false, false, "0.1", "how long dockerd has to end after SIGTERM"},
    {"kill_timeout_ms", option_type::ms, 0, 2147483647, "", "", "5000", "", "milliseconds", false, false, "0.1", "how long is waited for its end after SIGKILL"},
    {"events", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "each change of state is an event"},
    {"daemon_lines", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "each line of dockerd's own log is an event"},
    {"docker_version", option_type::text, 0, 2147483647, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the version of dockerd, as \"28.5.2\", by which it is started"},
    {"containerd_version", option_type::text, 0, 2147483647, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the version of containerd"},
    {"runc_version", option_type::text, 0, 2147483647, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the version of runc"},
    {"runsc_release", option_type::int_, 0, 99999999, "", "", "", "unknown: as the newest", "", false, false, "0.1", "the release of the runsc that it runs on, as 20260701"},
    {"uplink_device", option_type::text, 0, 2147483647, "", "", "", "that of the default route", "", false, false, "0.1", "the sandbox's interface to the outside"},
    {"uplink_address", option_type::text, 0, 2147483647, "", "", "", "asked of ip inside", "", false, false, "0.1", "its IPv4 address"},
    {"uplink_mtu", option_type::int_, 0, 65535, "", "", "", "asked of ip inside", "", false, false, "0.1", "its MTU"},
    {"snat", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "containers reach the outside, which needs a network, iptables and ip in the sandbox"},
    {"sockets", option_type::texts, 0, 2147483647, "", "", "[\"/var/run/docker.sock\"]", "", "", false, false, "0.1", "where dockerd listens inside"},
    {"data_root_mounted", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "something is mounted there; else it lies in the root file system"},
    {"storage_driver", option_type::text, 0, 2147483647, "", "", "", "dockerd's choice", "", false, false, "0.1", "the storage driver"},
    {"wrap_runc", option_type::word, 0, 2147483647, "automatic|always|never", "", "\"automatic\"", "", "", false, false, "0.1", "whether what runc cannot do in gVisor is seen to before it is called"},
    {"dockerd", option_type::text, 0, 2147483647, "", "", "\"dockerd\"", "", "", false, false, "0.1", "the program, a name looked up inside or an absolute path"},
    {"dockerd_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further arguments for dockerd"},
    {"dockerd_env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "variables for dockerd"},
    {"enabled", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "it has Docker"},
    {"start", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "dockerd is started with the sandbox; else when it is asked for"},
    {"registry_mirrors", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "mirrors of docker.io, \"http://HOST[:PORT]\" or \"https://HOST[:PORT]\", asked in this order before itself"},
    {"insecure_registries", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "registries without TLS, or with a certificate that nobody signed: \"HOST[:PORT]\" or a network"},
    {"registry_cas", option_type::pairs, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "for \"HOST[:PORT]\" of a registry or mirror, the file of this host with the certificates (PEM) that its own is signed by"},
    {"registry_auth", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.2", "registries of which this host's credentials go in, by \"HOST[:PORT]\" or \"docker.io\"; no others do"},
    {"registry_auth_file", option_type::text, 0, 2147483647, "", "", "", "config.json in $DOCKER_CONFIG, else ~/.docker/config.json", "", false, false, "0.2", "the file of this host that has these credentials, as `docker login` writes it, or names the program (docker-credential-…) that keeps them"},
};
static constexpr option_row exec_rows[] = {
    {"argv", option_type::texts, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the program and its arguments; no shell is involved"},
    {"env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "variables, beside what the place sets by itself"},
    {"cwd", option_type::text, 0, 2147483647, "", "", "", "the place's own", "", false, false, "0.1", "the directory to start in"},
    {"user", option_type::text, 0, 2147483647, "", "", "", "the place's own", "", false, false, "0.1", "the user to run as: \"uid[:gid]\", or a name in a sandbox of berth's own"},
    {"stdin", option_type::word, 0, 2147483647, "null|pipe|text", "", "\"null\"", "", "", false, false, "0.1", "its standard input: none, written to while it runs, or the text that is given"},
    {"stdin_text", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "all of its standard input"},
    {"stdout", option_type::word, 0, 2147483647, "events|capture|null", "", "\"events\"", "", "", false, false, "0.1", "what becomes of its standard output: events as it comes, kept for the end, or dropped"},
    {"stderr", option_type::word, 0, 2147483647, "events|capture|null", "", "\"events\"", "", "", false, false, "0.1", "the same of its standard error"},
    {"capture_limit", option_type::int_, 0, 1073741824, "", "", "1048576", "", "bytes", false, false, "0.1", "how much of each is kept at most, the end of it"},
};
static constexpr option_row start_detached_rows[] = {
    {"argv", option_type::texts, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the program and its arguments; no shell is involved"},
    {"env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "variables, beside what the place sets by itself"},
    {"cwd", option_type::text, 0, 2147483647, "", "", "", "the place's own", "", false, false, "0.1", "the directory to start in"},
    {"user", option_type::text, 0, 2147483647, "", "", "", "the place's own", "", false, false, "0.1", "the user to run as: \"uid[:gid]\", or a name in a sandbox of berth's own"},
    {"log", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "the absolute path of a file of this host, made where it is not there: what the command prints is appended to it, without a limit"},
};
static constexpr option_row poll_rows[] = {
    {"probe", option_type::object, 0, 2147483647, "", "probe", "", "", "", true, false, "0.1", "what to ask"},
    {"schedule", option_type::word_or_object, 0, 2147483647, "cheap|costly", "schedule", "", "\"cheap\"; of a command \"costly\"", "", false, false, "0.1", "how often"},
};
static constexpr option_row probe_rows[] = {
    {"type", option_type::word, 0, 2147483647, "connect|http|command", "", "", "", "", true, false, "0.1", "a connection, a request by HTTP that has to be answered by 200, or a command that has to exit with 0"},
    {"unix", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the path of a socket (connect, http)"},
    {"guarded", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "the socket lies where a sandbox can write: no symlink is followed (connect, http)"},
    {"host", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a numeric address, in place of a socket (connect, http)"},
    {"port", option_type::int_, 1, 65535, "", "", "", "", "", false, false, "0.1", "the port there (connect, http)"},
    {"target", option_type::text, 0, 2147483647, "", "", "\"/\"", "", "", false, false, "0.1", "what to ask for, as \"/_ping\" (http)"},
    {"argv", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the program and its arguments (command)"},
    {"env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "its variables (command)"},
    {"cwd", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the directory it starts in (command)"},
    {"user", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "whom it runs as (command)"},
};
static constexpr option_row schedule_rows[] = {
    {"first_ms", option_type::ms, 0, 2147483647, "", "", "", "5; of a command 50", "milliseconds", false, false, "0.1", "the first pause"},
    {"max_ms", option_type::ms, 0, 2147483647, "", "", "", "20; of a command 500", "milliseconds", false, false, "0.1", "the longest pause"},
    {"attempt_timeout_ms", option_type::ms, 0, 2147483647, "", "", "", "2000; of a command 5000", "milliseconds", false, false, "0.1", "how long one probe may take"},
    {"factor", option_type::number, 1, 100, "", "", "1.5", "", "", false, false, "0.1", "by how much each pause is longer than the one before"},
    {"jitter", option_type::number, 0, 1, "", "", "0.1", "", "", false, false, "0.1", "the part of a pause that chance may take away"},
};
static constexpr option_row runsc_texts_rows[] = {
    {"version", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "of --version"},
    {"flags", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "of flags"},
    {"verbs", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "of help"},
    {"help", option_type::pairs, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "of help VERB, by verb"},
};
static constexpr option_row runsc_place_rows[] = {
    {"runsc", option_type::text, 0, 2147483647, "", "", "", "runsc on the PATH", "", false, false, "0.1", "the binary"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the container's id"},
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "as the sandbox was started with: root, and net_raw for Docker"},
    {"cache_dir", option_type::text, 0, 2147483647, "", "", "", "none", "", false, false, "0.1", "where the binary's answers are kept"},
};
static constexpr option_row runsc_globals_rows[] = {
    {"root", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "where runsc keeps its state, absolute"},
    {"debug_log", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a private directory for runsc's logs, a file a command; needed for run, create and restore"},
    {"log", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file for runsc's own errors"},
    {"log_format", option_type::word, 0, 2147483647, "text|json|json-k8s", "", "", "", "", false, false, "0.1", "how these look"},
    {"debug", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "verbose, slow"},
    {"platform", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "systrap, kvm or ptrace"},
    {"network", option_type::word, 0, 2147483647, "sandbox|none|host", "", "", "", "", false, false, "0.1", "the network of the sandbox"},
    {"net_raw", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "raw sockets; Docker needs it, in exec too"},
    {"packet_socket_write", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "writing to packet sockets, under the name that this runsc has for it; Docker 28 and later need it"},
    {"host_uds", option_type::word, 0, 2147483647, "none|open|create|all", "", "", "", "", false, false, "0.1", "unix sockets of the host; create lets the host reach one that was bound inside"},
    {"overlay2", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "where writes go: none, root:self, root:memory, root:dir=/abs"},
    {"file_access", option_type::word, 0, 2147483647, "exclusive|shared", "", "", "", "", false, false, "0.1", "whether others change the root file system meanwhile"},
    {"directfs", option_type::bool_, 0, 2147483647, "", "", "", "runsc's, true", "", false, false, "0.1", "the sandbox opens files of the host itself"},
    {"dcache", option_type::int_, -1, 2147483647, "", "", "", "", "", false, false, "0.1", "how many dentries are kept"},
    {"fdlimit", option_type::int_, -1, 2147483647, "", "", "", "", "", false, false, "0.1", "how many descriptors of the host may be open"},
    {"ignore_cgroups", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "no cgroups are made"},
    {"systemd_cgroup", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "cgroups by systemd"},
    {"rootless", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a user who is not root starts it"},
    {"oci_seccomp", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "seccomp filters of the spec hold inside"},
    {"allow_suid", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "setuid programs get their owner's rights inside"},
    {"gso", option_type::bool_, 0, 2147483647, "", "", "", "runsc's, true", "", false, false, "0.1", "segmentation by the host's network device"},
    {"software_gso", option_type::bool_, 0, 2147483647, "", "", "", "runsc's, true", "", false, false, "0.1", "segmentation by gVisor"},
    {"mount_cgroup_v2", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "cgroups of version 2 inside"},
    {"allow_connected_on_save", option_type::bool_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "connections stay open over a checkpoint"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further global options, \"--name=value\""},
};
static constexpr option_row runsc_run_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"bundle", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the OCI bundle, absolute"},
    {"console_socket", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a socket that gets the terminal"},
    {"pid_file", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file that gets the pid of runsc's process on the host"},
    {"user_log", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file for what the sandbox tells its user"},
    {"fs_restore_image_path", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "restore file systems only, from this directory"},
    {"fs_restore_direct", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "read it without the page cache"},
    {"detach", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "return when it runs"},
    {"pass_fds", option_type::objects, 0, 2147483647, "", "runsc_pass_fd", "", "", "", false, false, "0.1", "descriptors of runsc's, each with its number inside"},
    {"exec_fd", option_type::int_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a descriptor of the program to run"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_create_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"bundle", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the OCI bundle, absolute"},
    {"console_socket", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a socket that gets the terminal"},
    {"pid_file", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file that gets the pid of runsc's process on the host"},
    {"user_log", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file for what the sandbox tells its user"},
    {"fs_restore_image_path", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "restore file systems only, from this directory"},
    {"fs_restore_direct", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "read it without the page cache"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_start_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_exec_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"console_socket", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a socket that gets the terminal"},
    {"pid_file", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file that gets the pid of runsc's process on the host"},
    {"detach", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "return when it runs"},
    {"pass_fds", option_type::objects, 0, 2147483647, "", "runsc_pass_fd", "", "", "", false, false, "0.1", "descriptors of runsc's, each with its number inside"},
    {"exec_fd", option_type::int_, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a descriptor of the program to run"},
    {"command", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the program and its arguments; needed where there is no process"},
    {"process", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file of OCI process JSON"},
    {"cwd", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the directory to start in"},
    {"env", option_type::environment, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "variables"},
    {"user", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "uid[:gid], numbers"},
    {"additional_gids", option_type::ids, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further groups"},
    {"caps", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "capabilities, as CAP_NET_RAW"},
    {"internal_pid_file", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file that gets its pid inside the sandbox"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_kill_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"signal", option_type::int_, 1, 64, "", "", "15", "", "", false, false, "0.1", "the signal's number"},
    {"all", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "every process of the container"},
    {"pid", option_type::int_, 1, 2147483647, "", "", "", "", "", false, false, "0.1", "one process, by its pid in the sandbox (wait: in the container)"},
    {"pgid", option_type::int_, 1, 2147483647, "", "", "", "", "", false, false, "0.1", "a process group, by its id in the sandbox's root pid namespace"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_delete_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"force", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "kill it first"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_state_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_list_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"json", option_type::bool_, 0, 2147483647, "", "", "true", "", "", false, false, "0.1", "as JSON; else a table for people"},
    {"quiet", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "ids only"},
    {"sandboxes_only", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "sandboxes only, no further containers"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_wait_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"pid", option_type::int_, 1, 2147483647, "", "", "", "", "", false, false, "0.1", "one process, by its pid in the sandbox (wait: in the container)"},
    {"root_pid", option_type::int_, 1, 2147483647, "", "", "", "", "", false, false, "0.1", "a pid in the sandbox's root pid namespace"},
    {"checkpoint", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "for the end of the next checkpoint"},
    {"restore", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "for the end of the restoring"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_pause_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_resume_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_checkpoint_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"image_path", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the directory of the checkpoint, absolute"},
    {"direct", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "read and write the image without the page cache"},
    {"leave_running", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "it goes on afterwards"},
    {"compression", option_type::word, 0, 2147483647, "none|flate-best-speed", "", "", "", "", false, false, "0.1", "of the image"},
    {"exclude_committed_zero_pages", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "pages of zeros are left out"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_restore_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"bundle", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the OCI bundle, absolute"},
    {"console_socket", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a socket that gets the terminal"},
    {"pid_file", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file that gets the pid of runsc's process on the host"},
    {"user_log", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "a file for what the sandbox tells its user"},
    {"fs_restore_image_path", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "restore file systems only, from this directory"},
    {"fs_restore_direct", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "read it without the page cache"},
    {"detach", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "return when it runs"},
    {"image_path", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the directory of the checkpoint, absolute"},
    {"background", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "memory goes on being read when it runs"},
    {"direct", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "read and write the image without the page cache"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_events_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"stats", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "once, then exit"},
    {"interval_seconds", option_type::int_, 1, 86400, "", "", "", "", "seconds", false, false, "0.1", "how often"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_ps_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_fscheckpoint_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"image_path", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "the directory of the checkpoint, absolute"},
    {"direct", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "read and write the image without the page cache"},
    {"leave_running", option_type::bool_, 0, 2147483647, "", "", "false", "", "", false, false, "0.1", "it goes on afterwards"},
    {"path", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "inside the container, or all-tmpfs"},
    {"extra_args", option_type::texts, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "further options of the verb, \"--name=value\""},
};
static constexpr option_row runsc_tar_rows[] = {
    {"globals", option_type::object, 0, 2147483647, "", "runsc_globals", "", "", "", false, false, "0.1", "runsc's options before the verb"},
    {"id", option_type::text, 0, 2147483647, "", "", "", "", "", false, false, "0.1", "the container's id"},
    {"file", option_type::text, 0, 2147483647, "", "", "", "", "", true, false, "0.2", "a file for what the container changed, absolute; it is overwritten (tar rootfs-upper)"},
};
static constexpr option_row runsc_pass_fd_rows[] = {
    {"host", option_type::int_, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "runsc's"},
    {"guest", option_type::int_, 0, 2147483647, "", "", "", "", "", true, false, "0.1", "its number inside"},
};

static constexpr option_set sets[] = {
    {"loop_options", "how a loop is made", loop_options_rows},
    {"op_options", "how an operation is started", op_options_rows},
    {"spec_mount", "a mount of a spec", spec_mount_rows},
    {"where", "where berth keeps its state and finds its helpers", where_rows},
    {"mount", "a directory or file of this host, bound into a sandbox", mount_rows},
    {"sandbox", "what a sandbox is to be", sandbox_rows},
    {"terminate", "how a sandbox ends", terminate_rows},
    {"commit", "what an image that is made of a sandbox is, and where it goes", commit_rows},
    {"snapshot", "how a sandbox is saved", snapshot_rows},
    {"own", "what a sandbox may have of its own that is taken out of a pool, or is a copy", own_rows},
    {"clone", "copies of a sandbox that runs", clone_rows},
    {"pool_take", "a sandbox out of a pool", pool_take_rows},
    {"pool_start", "a pool of sandboxes that wait", pool_start_rows},
    {"file_read", "what of a file is read", file_read_rows},
    {"file_write", "how a file is written", file_write_rows},
    {"file_directory", "how a directory is made", file_directory_rows},
    {"file_pack", "how a tree is packed", file_pack_rows},
    {"recipe", "what a spec gets so that Docker works in the sandbox", recipe_rows},
    {"daemon", "how dockerd is started, waited for, kept and stopped", daemon_rows},
    {"docker", "Docker in a sandbox of berth's own", docker_rows},
    {"exec", "a command to run", exec_rows},
    {"start_detached", "a command that goes on by itself, with nobody who waits for it", start_detached_rows},
    {"poll", "what to ask until it is ready, and how often", poll_rows},
    {"probe", "a way of asking whether something is ready", probe_rows},
    {"schedule", "how often to ask", schedule_rows},
    {"runsc_texts", "what a runsc binary printed", runsc_texts_rows},
    {"runsc_place", "a container that the caller made with runsc", runsc_place_rows},
    {"runsc_globals", "runsc's options before the verb", runsc_globals_rows},
    {"runsc_run", "what runsc run is to do", runsc_run_rows},
    {"runsc_create", "what runsc create is to do", runsc_create_rows},
    {"runsc_start", "what runsc start is to do", runsc_start_rows},
    {"runsc_exec", "what runsc exec is to do", runsc_exec_rows},
    {"runsc_kill", "what runsc kill is to do", runsc_kill_rows},
    {"runsc_delete", "what runsc delete is to do", runsc_delete_rows},
    {"runsc_state", "what runsc state is to do", runsc_state_rows},
    {"runsc_list", "what runsc list is to do", runsc_list_rows},
    {"runsc_wait", "what runsc wait is to do", runsc_wait_rows},
    {"runsc_pause", "what runsc pause is to do", runsc_pause_rows},
    {"runsc_resume", "what runsc resume is to do", runsc_resume_rows},
    {"runsc_checkpoint", "what runsc checkpoint is to do", runsc_checkpoint_rows},
    {"runsc_restore", "what runsc restore is to do", runsc_restore_rows},
    {"runsc_events", "what runsc events is to do", runsc_events_rows},
    {"runsc_ps", "what runsc ps is to do", runsc_ps_rows},
    {"runsc_fscheckpoint", "what runsc fscheckpoint is to do", runsc_fscheckpoint_rows},
    {"runsc_tar", "what runsc tar is to do", runsc_tar_rows},
    {"runsc_pass_fd", "a descriptor of runsc's and its number inside", runsc_pass_fd_rows},
};

std::span<const option_set> option_sets() noexcept { return sets; }

}  // namespace berth::capi
