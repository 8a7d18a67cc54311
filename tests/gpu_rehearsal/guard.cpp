// Device guards that do nothing. Without them a PyTorch built for processors refuses slices and copies of fake tensors.
#include <c10/core/impl/DeviceGuardImplInterface.h>

using c10::DeviceType;
using c10::impl::NoOpDeviceGuardImpl;

static c10::impl::DeviceGuardImplRegistrar cuda(DeviceType::CUDA, new NoOpDeviceGuardImpl<DeviceType::CUDA>());
static c10::impl::DeviceGuardImplRegistrar mps(DeviceType::MPS, new NoOpDeviceGuardImpl<DeviceType::MPS>());
