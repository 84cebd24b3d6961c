# Runs at installation. Below /usr the configuration is in /etc, anywhere else in etc below the prefix. An existing one is kept.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(CONFIG /etc/holdfast/holdfastd.conf)
else()
  set(CONFIG ${CMAKE_INSTALL_PREFIX}/etc/holdfast/holdfastd.conf)
endif()
set(DAEMON ${CMAKE_INSTALL_PREFIX}/${SBINDIR}/holdfastd)

configure_file(${PACKAGING}/holdfast.service.in ${WORK}/holdfast.service @ONLY)
file(INSTALL ${WORK}/holdfast.service DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)

if(EXISTS $ENV{DESTDIR}${CONFIG})
  message(STATUS "Kept: $ENV{DESTDIR}${CONFIG}")
else()
  get_filename_component(FOLDER ${CONFIG} DIRECTORY)
  file(INSTALL ${PACKAGING}/holdfastd.conf DESTINATION ${FOLDER})
endif()
