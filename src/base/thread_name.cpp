#include "base/thread_name.h"

#include <pthread.h>

#include "base/check.h"

namespace quire {

void set_thread_name(const char* name) {
  const int error = pthread_setname_np(pthread_self(), name);
  CHECK(error == 0, "'{}' is no name for a thread", name);
}

}  // namespace quire
