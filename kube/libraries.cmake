room_libraries(kube PkgConfig::pcre2)
