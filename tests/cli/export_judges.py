"""Other programs' readers on what `feldspar export` writes: the voxels, the spacing, the place and the handedness of a volume whose sides all differ.

    tests/cli/export_judges.py PROGRAM        with tifffile, pynrrd, SimpleITK, nibabel, vtk and h5py of PyPI

Exits with 77 when one of them is missing.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import h5py
    import nibabel
    import nrrd
    import numpy as np
    import SimpleITK as sitk
    import tifffile
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOHDF import vtkHDFReader
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

program = pathlib.Path(sys.argv[1]).resolve()
failures = []


def run(folder, *words):
    done = subprocess.run([str(program), *words], cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 9):
        sys.exit(f"{words}: {done.stderr}")


def expect(what, found, wanted, tolerance=1e-12):
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=0, atol=tolerance):
        failures.append(f"{what}: {found.ravel()[:6]} where {wanted.ravel()[:6]} belongs")


def judge_tiff(path, codes, grid, bits):
    with tifffile.TiffFile(path) as tiff:
        expect(f"{path.name} pages", len(tiff.pages), grid["size"][2])
        expect(f"{path.name} voxels", tiff.asarray(), codes)
        expect(f"{path.name} last page", tiff.pages[-1].asarray(), codes[-1])
        words = tiff.imagej_metadata
        expect(f"{path.name} spacing", words["spacing"], grid["spacing"][2])
        expect(f"{path.name} slices", words["slices"], grid["size"][2])
        if words["unit"] != "mm":
            failures.append(f"{path.name}: unit {words['unit']}")
        pixels, length = tiff.pages[0].tags["XResolution"].value
        expect(f"{path.name} resolution", length / pixels, grid["spacing"][0], 1e-6)
        expect(f"{path.name} place", [-words[a + "origin"] * s for a, s in zip("xyz", grid["spacing"])], grid["origin"], 1e-9)
        if bits == 16:
            expect(f"{path.name} slope", [words["c0"], words["c1"]], [grid["intercept"], grid["slope"]], 1e-12)


def judge_itk(path, codes, grid):
    image = sitk.ReadImage(str(path))
    expect(f"{path.name} voxels in ITK", sitk.GetArrayFromImage(image), codes)
    expect(f"{path.name} spacing in ITK", image.GetSpacing(), grid["spacing"], 1e-6)
    expect(f"{path.name} origin in ITK", image.GetOrigin(), grid["origin"], 1e-5)
    expect(f"{path.name} axes in ITK", image.GetDirection(), np.eye(3).ravel(), 1e-6)


def judge_nrrd(path, codes, grid):
    data, header = nrrd.read(str(path), index_order="C")
    expect(f"{path.name} voxels in pynrrd", data, codes)
    expect(f"{path.name} directions", header["space directions"], np.diag(grid["spacing"]))
    expect(f"{path.name} origin", header["space origin"], grid["origin"])


def judge_nifti(path, codes, grid):
    image = nibabel.load(path)
    expect(f"{path.name} voxels in nibabel", np.asarray(image.dataobj.get_unscaled()).T, codes)
    spacing, origin = grid["spacing"], grid["origin"]
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    affine[:3, 3] = [-origin[0], -origin[1], origin[2]]
    expect(f"{path.name} sform", image.get_sform(), affine, 1e-5)
    expect(f"{path.name} qform", image.get_qform(), affine, 1e-5)
    if image.header.get_xyzt_units()[0] != "mm":
        failures.append(f"{path.name}: unit {image.header.get_xyzt_units()}")


def judge_vtk(path, codes, grid):
    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutput()
    expect(f"{path.name} size in VTK", image.GetDimensions(), grid["size"])
    expect(f"{path.name} spacing in VTK", image.GetSpacing(), grid["spacing"])
    expect(f"{path.name} origin in VTK", image.GetOrigin(), grid["origin"])
    expect(f"{path.name} voxels in VTK", vtk_to_numpy(image.GetPointData().GetArray(0)).reshape(codes.shape), codes)


def grid_of(volume):
    data = volume["entry/data"]
    axes = [data[axis][()] for axis in "xyz"]
    stored = data["data"]
    grid = {"size": [len(axis) for axis in axes], "spacing": [axis[1] - axis[0] for axis in axes], "origin": [axis[0] for axis in axes], "slope": 1.0, "intercept": 0.0}
    if stored.dtype == np.uint16:
        grid["slope"], grid["intercept"] = data["data_scaling_factor"][()], data["data_offset"][()]
    return grid, stored[()]


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        run(folder, "simulate", "markers", "--columns", "48", "--views", "40", "-o", "scan", "-q")
        for name, bits in (("float", 32), ("code", 16)):
            run(folder, "recon", "scan", "-o", f"{name}.h5", "--size", "31,37,29", "--center", "1mm,-2mm,0.5mm", "--verify", "off", "-q", *(["--type", "uint16"] if bits == 16 else []))
            with h5py.File(folder / f"{name}.h5") as volume:
                grid, codes = grid_of(volume)
            judge_vtk(folder / f"{name}.h5", codes, grid)
            for ending in ("tif", "nrrd", "nhdr", "mha", "mhd", "nii", "raw"):
                target = folder / f"{name}_{ending}.{ending}"
                run(folder, "export", f"{name}.h5", target.name, "-q")
                if ending == "tif":
                    judge_tiff(target, codes, grid, bits)
                elif ending == "raw":
                    expect(f"{target.name} voxels", np.fromfile(target, codes.dtype).reshape(codes.shape), codes)
                else:
                    if ending in ("nrrd", "nhdr"):
                        judge_nrrd(target, codes, grid)
                    if ending == "nii":
                        judge_nifti(target, codes, grid)
                    if ending != "nii" or bits == 32:  # ITK gives NIfTI's codes their slope
                        judge_itk(target, codes, grid)
            part = folder / f"{name}_part.nrrd"
            run(folder, "export", f"{name}.h5", part.name, "--roi", "4:28,:,5:", "--bin", "2", "--type", "float32", "-q")
            values = codes.astype(np.float64) * grid["slope"] + grid["intercept"]
            cut = values[5:29, 0:36, 4:28]
            means = cut.reshape(12, 2, 18, 2, 12, 2).mean(axis=(1, 3, 5))
            data, header = nrrd.read(str(part), index_order="C")
            expect(f"{part.name} means", data, means, 1e-6)
            expect(f"{part.name} origin", header["space origin"], [grid["origin"][n] + (first + 0.5) * grid["spacing"][n] for n, first in enumerate((4, 0, 5))], 1e-9)
            expect(f"{part.name} spacing", np.diag(header["space directions"]), [2 * s for s in grid["spacing"]], 1e-9)
    for failure in failures:
        print("failed:", failure)
    print(f"{len(failures)} of the readers' answers are wrong" if failures else "every reader finds the volume as it is")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
