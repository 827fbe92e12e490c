// SPDX-License-Identifier: Apache-2.0
// The fields of runtime-spec 1.3.0, made by tests/golden/specs-go/schemagen: do not edit.
#pragma once

#include <berth/spec/detail/schema.hpp>

namespace berth::detail {

inline constexpr schema_node node_string{schema_kind::string, nullptr, 0, nullptr};
inline constexpr schema_node node_boolean{schema_kind::boolean, nullptr, 0, nullptr};
inline constexpr schema_node node_u64{schema_kind::u64, nullptr, 0, nullptr};
inline constexpr schema_field fields_Box[] = {
    {"height", &node_u64},
    {"width", &node_u64},
};
inline constexpr schema_node node_Box{schema_kind::object, fields_Box, 2, nullptr};
inline constexpr schema_node node_u32{schema_kind::u32, nullptr, 0, nullptr};
inline constexpr schema_node array_of_u32{schema_kind::array, nullptr, 0, &node_u32};
inline constexpr schema_field fields_User[] = {
    {"uid", &node_u32},
    {"gid", &node_u32},
    {"umask", &node_u32},
    {"additionalGids", &array_of_u32},
    {"username", &node_string},
};
inline constexpr schema_node node_User{schema_kind::object, fields_User, 5, nullptr};
inline constexpr schema_node array_of_string{schema_kind::array, nullptr, 0, &node_string};
inline constexpr schema_node node_cwd{schema_kind::cwd, nullptr, 0, nullptr};
inline constexpr schema_field fields_LinuxCapabilities[] = {
    {"bounding", &array_of_string},
    {"effective", &array_of_string},
    {"inheritable", &array_of_string},
    {"permitted", &array_of_string},
    {"ambient", &array_of_string},
};
inline constexpr schema_node node_LinuxCapabilities{schema_kind::object, fields_LinuxCapabilities, 5, nullptr};
inline constexpr schema_field fields_POSIXRlimit[] = {
    {"type", &node_string},
    {"hard", &node_u64},
    {"soft", &node_u64},
};
inline constexpr schema_node node_POSIXRlimit{schema_kind::object, fields_POSIXRlimit, 3, nullptr};
inline constexpr schema_node array_of_POSIXRlimit{schema_kind::array, nullptr, 0, &node_POSIXRlimit};
inline constexpr schema_node node_i64{schema_kind::i64, nullptr, 0, nullptr};
inline constexpr schema_node node_i32{schema_kind::i32, nullptr, 0, nullptr};
inline constexpr schema_field fields_Scheduler[] = {
    {"policy", &node_string},
    {"nice", &node_i32},
    {"priority", &node_i32},
    {"flags", &array_of_string},
    {"runtime", &node_u64},
    {"deadline", &node_u64},
    {"period", &node_u64},
};
inline constexpr schema_node node_Scheduler{schema_kind::object, fields_Scheduler, 7, nullptr};
inline constexpr schema_field fields_LinuxIOPriority[] = {
    {"class", &node_string},
    {"priority", &node_i64},
};
inline constexpr schema_node node_LinuxIOPriority{schema_kind::object, fields_LinuxIOPriority, 2, nullptr};
inline constexpr schema_field fields_CPUAffinity[] = {
    {"initial", &node_string},
    {"final", &node_string},
};
inline constexpr schema_node node_CPUAffinity{schema_kind::object, fields_CPUAffinity, 2, nullptr};
inline constexpr schema_field fields_Process[] = {
    {"terminal", &node_boolean},
    {"consoleSize", &node_Box},
    {"user", &node_User},
    {"args", &array_of_string},
    {"commandLine", &node_string},
    {"env", &array_of_string},
    {"cwd", &node_cwd},
    {"capabilities", &node_LinuxCapabilities},
    {"rlimits", &array_of_POSIXRlimit},
    {"noNewPrivileges", &node_boolean},
    {"apparmorProfile", &node_string},
    {"oomScoreAdj", &node_i64},
    {"scheduler", &node_Scheduler},
    {"selinuxLabel", &node_string},
    {"ioPriority", &node_LinuxIOPriority},
    {"execCPUAffinity", &node_CPUAffinity},
};
inline constexpr schema_node node_Process{schema_kind::object, fields_Process, 16, nullptr};
inline constexpr schema_field fields_Root[] = {
    {"path", &node_string},
    {"readonly", &node_boolean},
};
inline constexpr schema_node node_Root{schema_kind::object, fields_Root, 2, nullptr};
inline constexpr schema_node node_destination{schema_kind::destination, nullptr, 0, nullptr};
inline constexpr schema_field fields_LinuxIDMapping[] = {
    {"containerID", &node_u32},
    {"hostID", &node_u32},
    {"size", &node_u32},
};
inline constexpr schema_node node_LinuxIDMapping{schema_kind::object, fields_LinuxIDMapping, 3, nullptr};
inline constexpr schema_node array_of_LinuxIDMapping{schema_kind::array, nullptr, 0, &node_LinuxIDMapping};
inline constexpr schema_field fields_Mount[] = {
    {"destination", &node_destination},
    {"type", &node_string},
    {"source", &node_string},
    {"options", &array_of_string},
    {"uidMappings", &array_of_LinuxIDMapping},
    {"gidMappings", &array_of_LinuxIDMapping},
};
inline constexpr schema_node node_Mount{schema_kind::object, fields_Mount, 6, nullptr};
inline constexpr schema_node array_of_Mount{schema_kind::array, nullptr, 0, &node_Mount};
inline constexpr schema_field fields_Hook[] = {
    {"path", &node_string},
    {"args", &array_of_string},
    {"env", &array_of_string},
    {"timeout", &node_i64},
};
inline constexpr schema_node node_Hook{schema_kind::object, fields_Hook, 4, nullptr};
inline constexpr schema_node array_of_Hook{schema_kind::array, nullptr, 0, &node_Hook};
inline constexpr schema_field fields_Hooks[] = {
    {"prestart", &array_of_Hook},
    {"createRuntime", &array_of_Hook},
    {"createContainer", &array_of_Hook},
    {"startContainer", &array_of_Hook},
    {"poststart", &array_of_Hook},
    {"poststop", &array_of_Hook},
};
inline constexpr schema_node node_Hooks{schema_kind::object, fields_Hooks, 6, nullptr};
inline constexpr schema_node map_of_string{schema_kind::map, nullptr, 0, &node_string};
inline constexpr schema_field fields_LinuxDeviceCgroup[] = {
    {"allow", &node_boolean},
    {"type", &node_string},
    {"major", &node_i64},
    {"minor", &node_i64},
    {"access", &node_string},
};
inline constexpr schema_node node_LinuxDeviceCgroup{schema_kind::object, fields_LinuxDeviceCgroup, 5, nullptr};
inline constexpr schema_node array_of_LinuxDeviceCgroup{schema_kind::array, nullptr, 0, &node_LinuxDeviceCgroup};
inline constexpr schema_field fields_LinuxMemory[] = {
    {"limit", &node_i64},
    {"reservation", &node_i64},
    {"swap", &node_i64},
    {"kernel", &node_i64},
    {"kernelTCP", &node_i64},
    {"swappiness", &node_u64},
    {"disableOOMKiller", &node_boolean},
    {"useHierarchy", &node_boolean},
    {"checkBeforeUpdate", &node_boolean},
};
inline constexpr schema_node node_LinuxMemory{schema_kind::object, fields_LinuxMemory, 9, nullptr};
inline constexpr schema_field fields_LinuxCPU[] = {
    {"shares", &node_u64},
    {"quota", &node_i64},
    {"burst", &node_u64},
    {"period", &node_u64},
    {"realtimeRuntime", &node_i64},
    {"realtimePeriod", &node_u64},
    {"cpus", &node_string},
    {"mems", &node_string},
    {"idle", &node_i64},
};
inline constexpr schema_node node_LinuxCPU{schema_kind::object, fields_LinuxCPU, 9, nullptr};
inline constexpr schema_field fields_LinuxPids[] = {
    {"limit", &node_i64},
};
inline constexpr schema_node node_LinuxPids{schema_kind::object, fields_LinuxPids, 1, nullptr};
inline constexpr schema_node node_u16{schema_kind::u16, nullptr, 0, nullptr};
inline constexpr schema_field fields_LinuxWeightDevice[] = {
    {"major", &node_i64},
    {"minor", &node_i64},
    {"weight", &node_u16},
    {"leafWeight", &node_u16},
};
inline constexpr schema_node node_LinuxWeightDevice{schema_kind::object, fields_LinuxWeightDevice, 4, nullptr};
inline constexpr schema_node array_of_LinuxWeightDevice{schema_kind::array, nullptr, 0, &node_LinuxWeightDevice};
inline constexpr schema_field fields_LinuxThrottleDevice[] = {
    {"major", &node_i64},
    {"minor", &node_i64},
    {"rate", &node_u64},
};
inline constexpr schema_node node_LinuxThrottleDevice{schema_kind::object, fields_LinuxThrottleDevice, 3, nullptr};
inline constexpr schema_node array_of_LinuxThrottleDevice{schema_kind::array, nullptr, 0, &node_LinuxThrottleDevice};
inline constexpr schema_field fields_LinuxBlockIO[] = {
    {"weight", &node_u16},
    {"leafWeight", &node_u16},
    {"weightDevice", &array_of_LinuxWeightDevice},
    {"throttleReadBpsDevice", &array_of_LinuxThrottleDevice},
    {"throttleWriteBpsDevice", &array_of_LinuxThrottleDevice},
    {"throttleReadIOPSDevice", &array_of_LinuxThrottleDevice},
    {"throttleWriteIOPSDevice", &array_of_LinuxThrottleDevice},
};
inline constexpr schema_node node_LinuxBlockIO{schema_kind::object, fields_LinuxBlockIO, 7, nullptr};
inline constexpr schema_field fields_LinuxHugepageLimit[] = {
    {"pageSize", &node_string},
    {"limit", &node_u64},
};
inline constexpr schema_node node_LinuxHugepageLimit{schema_kind::object, fields_LinuxHugepageLimit, 2, nullptr};
inline constexpr schema_node array_of_LinuxHugepageLimit{schema_kind::array, nullptr, 0, &node_LinuxHugepageLimit};
inline constexpr schema_field fields_LinuxInterfacePriority[] = {
    {"name", &node_string},
    {"priority", &node_u32},
};
inline constexpr schema_node node_LinuxInterfacePriority{schema_kind::object, fields_LinuxInterfacePriority, 2, nullptr};
inline constexpr schema_node array_of_LinuxInterfacePriority{schema_kind::array, nullptr, 0, &node_LinuxInterfacePriority};
inline constexpr schema_field fields_LinuxNetwork[] = {
    {"classID", &node_u32},
    {"priorities", &array_of_LinuxInterfacePriority},
};
inline constexpr schema_node node_LinuxNetwork{schema_kind::object, fields_LinuxNetwork, 2, nullptr};
inline constexpr schema_field fields_LinuxRdma[] = {
    {"hcaHandles", &node_u32},
    {"hcaObjects", &node_u32},
};
inline constexpr schema_node node_LinuxRdma{schema_kind::object, fields_LinuxRdma, 2, nullptr};
inline constexpr schema_node map_of_LinuxRdma{schema_kind::map, nullptr, 0, &node_LinuxRdma};
inline constexpr schema_field fields_LinuxResources[] = {
    {"devices", &array_of_LinuxDeviceCgroup},
    {"memory", &node_LinuxMemory},
    {"cpu", &node_LinuxCPU},
    {"pids", &node_LinuxPids},
    {"blockIO", &node_LinuxBlockIO},
    {"hugepageLimits", &array_of_LinuxHugepageLimit},
    {"network", &node_LinuxNetwork},
    {"rdma", &map_of_LinuxRdma},
    {"unified", &map_of_string},
};
inline constexpr schema_node node_LinuxResources{schema_kind::object, fields_LinuxResources, 9, nullptr};
inline constexpr schema_field fields_LinuxNamespace[] = {
    {"type", &node_string},
    {"path", &node_string},
};
inline constexpr schema_node node_LinuxNamespace{schema_kind::object, fields_LinuxNamespace, 2, nullptr};
inline constexpr schema_node array_of_LinuxNamespace{schema_kind::array, nullptr, 0, &node_LinuxNamespace};
inline constexpr schema_field fields_LinuxDevice[] = {
    {"path", &node_string},
    {"type", &node_string},
    {"major", &node_i64},
    {"minor", &node_i64},
    {"fileMode", &node_u32},
    {"uid", &node_u32},
    {"gid", &node_u32},
};
inline constexpr schema_node node_LinuxDevice{schema_kind::object, fields_LinuxDevice, 7, nullptr};
inline constexpr schema_node array_of_LinuxDevice{schema_kind::array, nullptr, 0, &node_LinuxDevice};
inline constexpr schema_field fields_LinuxNetDevice[] = {
    {"name", &node_string},
};
inline constexpr schema_node node_LinuxNetDevice{schema_kind::object, fields_LinuxNetDevice, 1, nullptr};
inline constexpr schema_node map_of_LinuxNetDevice{schema_kind::map, nullptr, 0, &node_LinuxNetDevice};
inline constexpr schema_field fields_LinuxSeccompArg[] = {
    {"index", &node_u64},
    {"value", &node_u64},
    {"valueTwo", &node_u64},
    {"op", &node_string},
};
inline constexpr schema_node node_LinuxSeccompArg{schema_kind::object, fields_LinuxSeccompArg, 4, nullptr};
inline constexpr schema_node array_of_LinuxSeccompArg{schema_kind::array, nullptr, 0, &node_LinuxSeccompArg};
inline constexpr schema_field fields_LinuxSyscall[] = {
    {"names", &array_of_string},
    {"action", &node_string},
    {"errnoRet", &node_u64},
    {"args", &array_of_LinuxSeccompArg},
};
inline constexpr schema_node node_LinuxSyscall{schema_kind::object, fields_LinuxSyscall, 4, nullptr};
inline constexpr schema_node array_of_LinuxSyscall{schema_kind::array, nullptr, 0, &node_LinuxSyscall};
inline constexpr schema_field fields_LinuxSeccomp[] = {
    {"defaultAction", &node_string},
    {"defaultErrnoRet", &node_u64},
    {"architectures", &array_of_string},
    {"flags", &array_of_string},
    {"listenerPath", &node_string},
    {"listenerMetadata", &node_string},
    {"syscalls", &array_of_LinuxSyscall},
};
inline constexpr schema_node node_LinuxSeccomp{schema_kind::object, fields_LinuxSeccomp, 7, nullptr};
inline constexpr schema_field fields_LinuxIntelRdt[] = {
    {"closID", &node_string},
    {"schemata", &array_of_string},
    {"l3CacheSchema", &node_string},
    {"memBwSchema", &node_string},
    {"enableMonitoring", &node_boolean},
    {"enableCMT", &node_boolean},
    {"enableMBM", &node_boolean},
};
inline constexpr schema_node node_LinuxIntelRdt{schema_kind::object, fields_LinuxIntelRdt, 7, nullptr};
inline constexpr schema_field fields_LinuxMemoryPolicy[] = {
    {"mode", &node_string},
    {"nodes", &node_string},
    {"flags", &array_of_string},
};
inline constexpr schema_node node_LinuxMemoryPolicy{schema_kind::object, fields_LinuxMemoryPolicy, 3, nullptr};
inline constexpr schema_field fields_LinuxPersonality[] = {
    {"domain", &node_string},
    {"flags", &array_of_string},
};
inline constexpr schema_node node_LinuxPersonality{schema_kind::object, fields_LinuxPersonality, 2, nullptr};
inline constexpr schema_field fields_LinuxTimeOffset[] = {
    {"secs", &node_i64},
    {"nanosecs", &node_u32},
};
inline constexpr schema_node node_LinuxTimeOffset{schema_kind::object, fields_LinuxTimeOffset, 2, nullptr};
inline constexpr schema_node map_of_LinuxTimeOffset{schema_kind::map, nullptr, 0, &node_LinuxTimeOffset};
inline constexpr schema_field fields_Linux[] = {
    {"uidMappings", &array_of_LinuxIDMapping},
    {"gidMappings", &array_of_LinuxIDMapping},
    {"sysctl", &map_of_string},
    {"resources", &node_LinuxResources},
    {"cgroupsPath", &node_string},
    {"namespaces", &array_of_LinuxNamespace},
    {"devices", &array_of_LinuxDevice},
    {"netDevices", &map_of_LinuxNetDevice},
    {"seccomp", &node_LinuxSeccomp},
    {"rootfsPropagation", &node_string},
    {"maskedPaths", &array_of_string},
    {"readonlyPaths", &array_of_string},
    {"mountLabel", &node_string},
    {"intelRdt", &node_LinuxIntelRdt},
    {"memoryPolicy", &node_LinuxMemoryPolicy},
    {"personality", &node_LinuxPersonality},
    {"timeOffsets", &map_of_LinuxTimeOffset},
};
inline constexpr schema_node node_Linux{schema_kind::object, fields_Linux, 17, nullptr};
inline constexpr schema_field fields_SolarisAnet[] = {
    {"linkname", &node_string},
    {"lowerLink", &node_string},
    {"allowedAddress", &node_string},
    {"configureAllowedAddress", &node_string},
    {"defrouter", &node_string},
    {"linkProtection", &node_string},
    {"macAddress", &node_string},
};
inline constexpr schema_node node_SolarisAnet{schema_kind::object, fields_SolarisAnet, 7, nullptr};
inline constexpr schema_node array_of_SolarisAnet{schema_kind::array, nullptr, 0, &node_SolarisAnet};
inline constexpr schema_field fields_SolarisCappedCPU[] = {
    {"ncpus", &node_string},
};
inline constexpr schema_node node_SolarisCappedCPU{schema_kind::object, fields_SolarisCappedCPU, 1, nullptr};
inline constexpr schema_field fields_SolarisCappedMemory[] = {
    {"physical", &node_string},
    {"swap", &node_string},
};
inline constexpr schema_node node_SolarisCappedMemory{schema_kind::object, fields_SolarisCappedMemory, 2, nullptr};
inline constexpr schema_field fields_Solaris[] = {
    {"milestone", &node_string},
    {"limitpriv", &node_string},
    {"maxShmMemory", &node_string},
    {"anet", &array_of_SolarisAnet},
    {"cappedCPU", &node_SolarisCappedCPU},
    {"cappedMemory", &node_SolarisCappedMemory},
};
inline constexpr schema_node node_Solaris{schema_kind::object, fields_Solaris, 6, nullptr};
inline constexpr schema_field fields_WindowsDevice[] = {
    {"id", &node_string},
    {"idType", &node_string},
};
inline constexpr schema_node node_WindowsDevice{schema_kind::object, fields_WindowsDevice, 2, nullptr};
inline constexpr schema_node array_of_WindowsDevice{schema_kind::array, nullptr, 0, &node_WindowsDevice};
inline constexpr schema_field fields_WindowsMemoryResources[] = {
    {"limit", &node_u64},
};
inline constexpr schema_node node_WindowsMemoryResources{schema_kind::object, fields_WindowsMemoryResources, 1, nullptr};
inline constexpr schema_field fields_WindowsCPUGroupAffinity[] = {
    {"mask", &node_u64},
    {"group", &node_u32},
};
inline constexpr schema_node node_WindowsCPUGroupAffinity{schema_kind::object, fields_WindowsCPUGroupAffinity, 2, nullptr};
inline constexpr schema_node array_of_WindowsCPUGroupAffinity{schema_kind::array, nullptr, 0, &node_WindowsCPUGroupAffinity};
inline constexpr schema_field fields_WindowsCPUResources[] = {
    {"count", &node_u64},
    {"shares", &node_u16},
    {"maximum", &node_u16},
    {"affinity", &array_of_WindowsCPUGroupAffinity},
};
inline constexpr schema_node node_WindowsCPUResources{schema_kind::object, fields_WindowsCPUResources, 4, nullptr};
inline constexpr schema_field fields_WindowsStorageResources[] = {
    {"iops", &node_u64},
    {"bps", &node_u64},
    {"sandboxSize", &node_u64},
};
inline constexpr schema_node node_WindowsStorageResources{schema_kind::object, fields_WindowsStorageResources, 3, nullptr};
inline constexpr schema_field fields_WindowsResources[] = {
    {"memory", &node_WindowsMemoryResources},
    {"cpu", &node_WindowsCPUResources},
    {"storage", &node_WindowsStorageResources},
};
inline constexpr schema_node node_WindowsResources{schema_kind::object, fields_WindowsResources, 3, nullptr};
inline constexpr schema_node node_any{schema_kind::any, nullptr, 0, nullptr};
inline constexpr schema_field fields_WindowsHyperV[] = {
    {"utilityVMPath", &node_string},
};
inline constexpr schema_node node_WindowsHyperV{schema_kind::object, fields_WindowsHyperV, 1, nullptr};
inline constexpr schema_field fields_WindowsNetwork[] = {
    {"endpointList", &array_of_string},
    {"allowUnqualifiedDNSQuery", &node_boolean},
    {"DNSSearchList", &array_of_string},
    {"networkSharedContainerName", &node_string},
    {"networkNamespace", &node_string},
};
inline constexpr schema_node node_WindowsNetwork{schema_kind::object, fields_WindowsNetwork, 5, nullptr};
inline constexpr schema_field fields_Windows[] = {
    {"layerFolders", &array_of_string},
    {"devices", &array_of_WindowsDevice},
    {"resources", &node_WindowsResources},
    {"credentialSpec", &node_any},
    {"servicing", &node_boolean},
    {"ignoreFlushesDuringBoot", &node_boolean},
    {"hyperv", &node_WindowsHyperV},
    {"network", &node_WindowsNetwork},
};
inline constexpr schema_node node_Windows{schema_kind::object, fields_Windows, 8, nullptr};
inline constexpr schema_field fields_VMHypervisor[] = {
    {"path", &node_string},
    {"parameters", &array_of_string},
};
inline constexpr schema_node node_VMHypervisor{schema_kind::object, fields_VMHypervisor, 2, nullptr};
inline constexpr schema_field fields_VMKernel[] = {
    {"path", &node_string},
    {"parameters", &array_of_string},
    {"initrd", &node_string},
};
inline constexpr schema_node node_VMKernel{schema_kind::object, fields_VMKernel, 3, nullptr};
inline constexpr schema_field fields_VMImage[] = {
    {"path", &node_string},
    {"format", &node_string},
};
inline constexpr schema_node node_VMImage{schema_kind::object, fields_VMImage, 2, nullptr};
inline constexpr schema_field fields_IOMems[] = {
    {"firstGFN", &node_u64},
    {"firstMFN", &node_u64},
    {"nrMFNs", &node_u64},
};
inline constexpr schema_node node_IOMems{schema_kind::object, fields_IOMems, 3, nullptr};
inline constexpr schema_node array_of_IOMems{schema_kind::array, nullptr, 0, &node_IOMems};
inline constexpr schema_field fields_HWConfig[] = {
    {"deviceTree", &node_string},
    {"vcpus", &node_u32},
    {"memory", &node_u64},
    {"dtdevs", &array_of_string},
    {"iomems", &array_of_IOMems},
    {"irqs", &array_of_u32},
};
inline constexpr schema_node node_HWConfig{schema_kind::object, fields_HWConfig, 6, nullptr};
inline constexpr schema_field fields_VM[] = {
    {"hypervisor", &node_VMHypervisor},
    {"kernel", &node_VMKernel},
    {"image", &node_VMImage},
    {"hwconfig", &node_HWConfig},
};
inline constexpr schema_node node_VM{schema_kind::object, fields_VM, 4, nullptr};
inline constexpr schema_field fields_ZOSNamespace[] = {
    {"type", &node_string},
    {"path", &node_string},
};
inline constexpr schema_node node_ZOSNamespace{schema_kind::object, fields_ZOSNamespace, 2, nullptr};
inline constexpr schema_node array_of_ZOSNamespace{schema_kind::array, nullptr, 0, &node_ZOSNamespace};
inline constexpr schema_field fields_ZOS[] = {
    {"namespaces", &array_of_ZOSNamespace},
};
inline constexpr schema_node node_ZOS{schema_kind::object, fields_ZOS, 1, nullptr};
inline constexpr schema_field fields_FreeBSDDevice[] = {
    {"path", &node_string},
    {"mode", &node_u32},
};
inline constexpr schema_node node_FreeBSDDevice{schema_kind::object, fields_FreeBSDDevice, 2, nullptr};
inline constexpr schema_node array_of_FreeBSDDevice{schema_kind::array, nullptr, 0, &node_FreeBSDDevice};
inline constexpr schema_field fields_FreeBSDJailAllow[] = {
    {"setHostname", &node_boolean},
    {"rawSockets", &node_boolean},
    {"chflags", &node_boolean},
    {"mount", &array_of_string},
    {"quotas", &node_boolean},
    {"socketAf", &node_boolean},
    {"mlock", &node_boolean},
    {"reservedPorts", &node_boolean},
    {"suser", &node_boolean},
};
inline constexpr schema_node node_FreeBSDJailAllow{schema_kind::object, fields_FreeBSDJailAllow, 9, nullptr};
inline constexpr schema_field fields_FreeBSDJail[] = {
    {"parent", &node_string},
    {"host", &node_string},
    {"ip4", &node_string},
    {"ip4Addr", &array_of_string},
    {"ip6", &node_string},
    {"ip6Addr", &array_of_string},
    {"vnet", &node_string},
    {"interface", &node_string},
    {"vnetInterfaces", &array_of_string},
    {"sysvmsg", &node_string},
    {"sysvsem", &node_string},
    {"sysvshm", &node_string},
    {"enforceStatfs", &node_i64},
    {"allow", &node_FreeBSDJailAllow},
};
inline constexpr schema_node node_FreeBSDJail{schema_kind::object, fields_FreeBSDJail, 14, nullptr};
inline constexpr schema_field fields_FreeBSD[] = {
    {"devices", &array_of_FreeBSDDevice},
    {"jail", &node_FreeBSDJail},
};
inline constexpr schema_node node_FreeBSD{schema_kind::object, fields_FreeBSD, 2, nullptr};
inline constexpr schema_field fields_Spec[] = {
    {"ociVersion", &node_string},
    {"process", &node_Process},
    {"root", &node_Root},
    {"hostname", &node_string},
    {"domainname", &node_string},
    {"mounts", &array_of_Mount},
    {"hooks", &node_Hooks},
    {"annotations", &map_of_string},
    {"linux", &node_Linux},
    {"solaris", &node_Solaris},
    {"windows", &node_Windows},
    {"vm", &node_VM},
    {"zos", &node_ZOS},
    {"freebsd", &node_FreeBSD},
};
inline constexpr schema_node node_Spec{schema_kind::object, fields_Spec, 14, nullptr};

}  // namespace berth::detail
