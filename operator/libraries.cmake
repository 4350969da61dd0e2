room_libraries(operator PkgConfig::git2 PkgConfig::openssl)
