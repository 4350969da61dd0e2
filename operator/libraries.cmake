room_libraries(operator PkgConfig::git2)
