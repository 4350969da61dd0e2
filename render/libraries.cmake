room_libraries(render PkgConfig::lua PkgConfig::pcre2 PkgConfig::utf8proc PkgConfig::openssl PkgConfig::archive)
