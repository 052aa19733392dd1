/* User mode, ring 3: its calls to the kernel, its faults. MIT licence. */
#include "xen.h"

extern char user_page[], user_code[], user_fault[], user_call[], user_stack_page[], user_stack_end[];
extern void enter_user(void *eip, void *esp);

void users(void)
{
	told("the user's pages", map(user_page, frame_of(user_page), USER_PAGE) | map(user_stack_page, frame_of(user_stack_page), USER_PAGE));
	enter_user(user_code, user_stack_end);
	text("back\n");
	enter_user(user_fault, user_stack_end);
	text("back again\n");
	enter_user(user_call, user_stack_end);
	text("and again\n");
}
