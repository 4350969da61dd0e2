room_libraries(runtime PkgConfig::archive PkgConfig::zstd PkgConfig::seccomp PkgConfig::cap PkgConfig::mnl)
