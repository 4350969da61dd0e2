room_libraries(render PkgConfig::lua PkgConfig::pcre2 PkgConfig::utf8proc PkgConfig::openssl PkgConfig::archive crypt)
embed(render chart/lua/k8s.lua k8s_lua)
