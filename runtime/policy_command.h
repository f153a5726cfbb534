/* policy_command.h - `usbx policy`: policies of running sandboxes, and files of policies. */
#ifndef RUNTIME_POLICY_COMMAND_H
#define RUNTIME_POLICY_COMMAND_H

/* argv[0] is "policy". Returns usbx's status; does not return when something is wrong. */
int policy_main(int argc, char **argv);

#endif
