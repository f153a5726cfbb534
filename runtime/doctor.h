/* doctor.h - `usbx doctor`: what this host allows, and what to do about the rest. */
#ifndef RUNTIME_DOCTOR_H
#define RUNTIME_DOCTOR_H

/* argv[0] is "doctor". The exit status: 0 when a sandbox runs here. Fails (see fail.h) for nonsense. */
int doctor_main(int argc, char **argv);

#endif
