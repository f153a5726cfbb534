/* The C library's streams, which mix read, lseek and write in their own way. */
#include "guest.h"

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	FILE *file = fopen("file", "w+");
	for (int i = 0; i < 2000; i++)
		fprintf(file, "line %d\n", i);
	SHOW(ftell(file));
	SHOW(fseek(file, 0, SEEK_SET));
	long lines = 0, length = 0;
	while (getline(&line, &room, file) > 0)
		lines++, length += strlen(line);
	SHOW(lines);
	SHOW(length);
	SHOW(fseek(file, -10, SEEK_END));
	SHOW(fgetc(file));
	SHOW(ungetc('x', file));
	SHOW(fgetc(file));
	SHOW(fseek(file, 5, SEEK_SET));
	SHOW(fputs("ZERO", file));
	SHOW(fflush(file));
	SHOW(fclose(file));
	SHOW((file = fopen("file", "a"), fputs("end\n", file), fclose(file)));

	section("popen");
	FILE *command = popen("head -c 30 file | tr '\\n' '|'; exit 3", "r");
	SHOW(getline(&line, &room, command));
	SHOW_TEXT(line);
	SHOW(WEXITSTATUS(pclose(command)));
	SHOW(WEXITSTATUS(system("exit 5")));
	SHOW(fopen("absent/file", "r") == NULL);
	FILE *temporary = tmpfile();
	CHECK(temporary && fputs("x", temporary) >= 0 && !fclose(temporary));
	free(line);
	return 0;
}
